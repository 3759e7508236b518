//! Execution of actions. A connection that is lost is no end of an execution: it is taken up by its name.

use super::Server;
use super::retry::{Tries, may_help};
use crate::proto::execution::{
    ActionResult, ExecuteOperationMetadata, ExecuteRequest, ExecuteResponse, WaitExecutionRequest,
};
use crate::proto::rpc::{CancelOperationRequest, Empty, Operation};
use bst_plumbing::values::{Code, Digest, Error, Result};
use prost::Message;
use std::sync::Mutex;
use tonic::{Code as Grpc, Status};

const EXECUTE: &str = "/build.bazel.remote.execution.v2.Execution/Execute";
const WAIT: &str = "/build.bazel.remote.execution.v2.Execution/WaitExecution";
const CANCEL: &str = "/google.longrunning.Operations/CancelOperation";

/// An execution, as far as it is known to the server.
#[derive(Debug, Default)]
pub struct Running {
    name: Mutex<Option<String>>,
}

impl Running {
    fn name(&self) -> Option<String> {
        self.name.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn set(&self, name: Option<String>) {
        *self.name.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = name;
    }
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub enum Executed {
    /// The action ran, or its result was known.
    Done { result: Box<ActionResult>, cached: bool },
    /// The server lacks something that the action needs.
    Incomplete(Status),
}

impl Server {
    /// Executes an action. `running` tells others how to cancel it; `update` hears of what the server says
    /// meanwhile.
    pub async fn execute(
        &self,
        action: Digest,
        skip_cache: bool,
        running: &Running,
        mut update: impl FnMut(ExecuteOperationMetadata),
    ) -> Result<Executed> {
        let mut tries = Tries::new(self);
        loop {
            let status = match self.attempt(action, skip_cache, running, &mut update).await {
                Ok(operation) => return self.outcome(operation),
                Err(status) => status,
            };
            if status.code() == Grpc::FailedPrecondition {
                return Ok(Executed::Incomplete(status));
            }
            if running.name().is_some() && matches!(status.code(), Grpc::NotFound | Grpc::Unimplemented) {
                // It cannot be waited for. An action may run twice: the result is the same.
                running.set(None);
                let again = Status::unavailable(status.message());
                tries.after(again).await.map_err(|status| self.failed(action, &status))?;
            } else if running.name().is_some() && may_help(&status) {
                // That it runs is something to go by.
                tries.progressed();
                tries.after(status).await.map_err(|status| self.failed(action, &status))?;
            } else {
                tries.after(status).await.map_err(|status| self.failed(action, &status))?;
            }
        }
    }

    /// One stream of operations, to its end.
    async fn attempt(
        &self,
        action: Digest,
        skip_cache: bool,
        running: &Running,
        update: &mut impl FnMut(ExecuteOperationMetadata),
    ) -> Result<Operation, Status> {
        let mut stream = match running.name() {
            Some(name) => self.download::<_, Operation>(WAIT, WaitExecutionRequest { name }).await?,
            None => {
                let request = ExecuteRequest {
                    instance_name: self.instance(),
                    skip_cache_lookup: skip_cache,
                    action_digest: Some(action.to_proto()),
                };
                self.download::<_, Operation>(EXECUTE, request).await?
            }
        };
        // An action may take hours without a word.
        while let Some(operation) = stream.message().await? {
            if !operation.name.is_empty() {
                running.set(Some(operation.name.clone()));
            }
            if operation.done {
                running.set(None);
                return Ok(operation);
            }
            let metadata = operation.metadata.map(|any| ExecuteOperationMetadata::decode(any.value));
            if let Some(Ok(metadata)) = metadata {
                update(metadata);
            }
        }
        Err(Status::unavailable("the stream of the execution ended before the execution"))
    }

    fn outcome(&self, operation: Operation) -> Result<Executed> {
        if let Some(error) = operation.error {
            let status = Status::new(Grpc::from_i32(error.code), error.message);
            return Err(self.refused(&status));
        }
        let response = operation.response.map(|any| ExecuteResponse::decode(any.value));
        let Some(Ok(response)) = response else {
            return Err(self.network("the answer for an execution is no use"));
        };
        let status = response.status.unwrap_or_default();
        match Grpc::from_i32(status.code) {
            Grpc::Ok => {}
            Grpc::FailedPrecondition => return Ok(Executed::Incomplete(Status::failed_precondition(status.message))),
            code => return Err(self.refused(&Status::new(code, status.message))),
        }
        match response.result {
            Some(result) => Ok(Executed::Done { result: Box::new(result), cached: response.cached_result }),
            None => Err(self.network("an execution ended without a result")),
        }
    }

    fn failed(&self, action: Digest, status: &Status) -> Error {
        self.error(format_args!("cannot execute action {action}"), status)
    }

    /// The service could not do it, which is not the fault of what was to be built.
    fn refused(&self, status: &Status) -> Error {
        let words = format!("{}: the action was not executed: {}", self.url(), status.message());
        Error::new(Code::Sandbox, words)
    }

    /// Cancels an execution. A server that cannot do that lets it run.
    pub async fn cancel(&self, running: &Running) {
        if let Some(name) = running.name() {
            let _: Result<Empty, Status> = self.once(CANCEL, CancelOperationRequest { name }).await;
        }
    }
}
