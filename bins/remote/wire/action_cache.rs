//! The action cache: what an action gave the last time.

use super::Server;
use crate::proto::execution::{ActionResult, GetActionResultRequest, UpdateActionResultRequest};
use bst_plumbing::values::{Digest, Result};
use tonic::Code;

impl Server {
    /// The result of an action; `None` if the server has none.
    pub async fn action_result(&self, action: Digest) -> Result<Option<ActionResult>> {
        let request = GetActionResultRequest {
            instance_name: self.instance(),
            action_digest: Some(action.to_proto()),
            inline_stdout: true,
            inline_stderr: true,
        };
        let path = "/build.bazel.remote.execution.v2.ActionCache/GetActionResult";
        match self.unary(path, &request).await {
            Ok(result) => Ok(Some(result)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(self.error(format_args!("cannot ask for the result of action {action}"), &status)),
        }
    }

    /// Stores the result of an action.
    pub async fn update_action_result(&self, action: Digest, result: &ActionResult) -> Result<()> {
        let request = UpdateActionResultRequest {
            instance_name: self.instance(),
            action_digest: Some(action.to_proto()),
            action_result: Some(result.clone()),
        };
        let path = "/build.bazel.remote.execution.v2.ActionCache/UpdateActionResult";
        let answer: Result<ActionResult, _> = self.unary(path, &request).await;
        let what = format_args!("cannot store the result of action {action}");
        answer.map(|_| ()).map_err(|status| self.error(what, &status))
    }
}
