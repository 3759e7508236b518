//! Execution of actions.
