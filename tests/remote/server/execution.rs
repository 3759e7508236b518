//! Execution of actions whose results the test knows.

use super::services::{Called, lock, unary};
use bst_plumbing::values::Digest;
use bst_remote::proto::execution::{
    ActionResult, ExecuteRequest, ExecuteResponse, GetActionResultRequest, WaitExecutionRequest,
};
use bst_remote::proto::rpc::{Any, CancelOperationRequest, Empty, Operation};
use http::{Request, Response};
use prost::Message;
use std::pin::Pin;
use std::sync::Arc;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use tonic::body::Body;
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::faults::Kind;

/// Answers a call of these services.
pub async fn answer(request: Request<hyper::body::Incoming>, call: Called) -> Response<Body> {
    match &*call.method {
        "GetActionResult" => unary(request, call, action_result).await,
        "CancelOperation" => unary(request, call, cancel).await,
        "Execute" => execute(request, call).await,
        "WaitExecution" => wait(request, call).await,
        _ => Status::unimplemented("no such method").into_http(),
    }
}

fn action_result(call: &Called, request: GetActionResultRequest) -> Result<ActionResult, Status> {
    call.note(1);
    result(call, &request.action_digest.unwrap_or_default())
}

fn result(call: &Called, action: &bst_remote::proto::Digest) -> Result<ActionResult, Status> {
    let action = Digest::from_proto(action).map_err(|error| Status::invalid_argument(error.to_string()))?;
    lock(&call.state).actions.get(&action).cloned().ok_or_else(|| Status::not_found("no such result"))
}

fn cancel(call: &Called, _: CancelOperationRequest) -> Result<Empty, Status> {
    call.note(1);
    Ok(Empty {})
}

type Operations = Pin<Box<dyn Stream<Item = Result<Operation, Status>> + Send>>;

async fn execute(request: Request<hyper::body::Incoming>, call: Called) -> Response<Body> {
    let call = Arc::new(call);
    let service = service_fn(move |request: tonic::Request<ExecuteRequest>| {
        let operations = operations(&call, request.into_inner().action_digest.unwrap_or_default());
        async move { operations.map(tonic::Response::new) }
    });
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<Operation, ExecuteRequest>::default());
    grpc.server_streaming(service, request).await
}

async fn wait(request: Request<hyper::body::Incoming>, call: Called) -> Response<Body> {
    let call = Arc::new(call);
    let service = service_fn(move |request: tonic::Request<WaitExecutionRequest>| {
        let name = request.into_inner().name;
        let digest = name.rsplit_once(':').and_then(|(_, digest)| digest.parse::<Digest>().ok());
        let operations = match digest {
            Some(digest) => operations(&call, digest.to_proto()),
            None => Err(Status::not_found("no such operation")),
        };
        async move { operations.map(tonic::Response::new) }
    });
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<Operation, WaitExecutionRequest>::default());
    grpc.server_streaming(service, request).await
}

fn operations(call: &Called, action: bst_remote::proto::Digest) -> Result<Operations, Status> {
    call.note(1);
    let name = format!("operation:{}/{}", action.hash, action.size_bytes);
    let running = Operation { name: name.clone(), ..Operation::default() };
    match call.fault {
        Some(Kind::BreakAfter(_)) => {
            let broken = Err(Status::unavailable("as the test wants it"));
            return Ok(Box::pin(tokio_stream::iter([Ok(running), broken])));
        }
        Some(Kind::Endless) => return Ok(Box::pin(tokio_stream::once(Ok(running)).chain(tokio_stream::pending()))),
        _ => {}
    }
    let response = ExecuteResponse { result: Some(result(call, &action)?), ..ExecuteResponse::default() };
    let any = Any {
        type_url: "type.googleapis.com/build.bazel.remote.execution.v2.ExecuteResponse".to_owned(),
        value: response.encode_to_vec().into(),
    };
    let done = Operation { name, done: true, response: Some(any), ..Operation::default() };
    Ok(Box::pin(tokio_stream::iter([Ok(running), Ok(done)])))
}
