//! What the programs share that talk to the network: the only place with an async runtime.
