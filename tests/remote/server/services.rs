//! The services.

use super::faults::{Fault, Kind};
use super::state::{Call, State};
use bst_plumbing::values::Digest;
use bst_remote::proto::asset::{FetchRequest, FetchResponse, PushRequest, PushResponse};
use bst_remote::proto::bytestream::{
    QueryWriteStatusRequest, QueryWriteStatusResponse, ReadRequest, ReadResponse, WriteRequest, WriteResponse,
};
use bst_remote::proto::cache::{
    BatchReadBlobsRequest, BatchReadBlobsResponse, BatchUpdateBlobsRequest, BatchUpdateBlobsResponse,
    FindMissingBlobsRequest, FindMissingBlobsResponse, ReadBlob, UpdatedBlob,
};
use bst_remote::proto::capabilities::{CacheCapabilities, GetCapabilitiesRequest, ServerCapabilities};
use bst_remote::proto::rpc;
use http::{Request, Response};
use prost::Message;
use prost::bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio_stream::StreamExt;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

type Shared = Arc<Mutex<State>>;

/// Answers one call.
pub async fn answer(state: Shared, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, std::io::Error> {
    let path = request.uri().path().to_owned();
    let method = path.rsplit('/').next().unwrap_or_default().to_owned();
    if let Some(refused) = refuse(&state, &request) {
        return Ok(refused.into_http());
    }
    let fault = Fault::next(&mut lock(&state).faults, &method);
    match fault {
        Some(Kind::Status(code)) => return Ok(Status::new(code, "as the test wants it").into_http()),
        Some(Kind::Hang) => std::future::pending::<()>().await,
        Some(Kind::Reset) => return Err(std::io::Error::other("as the test wants it")),
        Some(Kind::Garbage) => return Ok(garbage()),
        _ => {}
    }
    let call = Called { state, method, fault };
    Ok(match &*call.method {
        "GetCapabilities" => unary(request, call, capabilities).await,
        "FindMissingBlobs" => unary(request, call, find_missing).await,
        "BatchUpdateBlobs" => unary(request, call, update).await,
        "BatchReadBlobs" => unary(request, call, read).await,
        "FetchBlob" | "FetchDirectory" => unary(request, call, fetch).await,
        "PushBlob" | "PushDirectory" => unary(request, call, push).await,
        "QueryWriteStatus" => unary(request, call, write_status).await,
        "Read" => read_stream(request, call).await,
        "Write" => write_stream(request, call).await,
        _ => super::execution::answer(request, call).await,
    })
}

/// A call, and what goes wrong with it.
pub struct Called {
    pub state: Shared,
    pub method: String,
    pub fault: Option<Kind>,
}

impl Called {
    pub fn note(&self, count: usize) {
        lock(&self.state).calls.push(Call { method: self.method.clone(), count });
    }
}

pub fn lock(state: &Shared) -> std::sync::MutexGuard<'_, State> {
    state.lock().expect("no service panics")
}

fn refuse(state: &Shared, request: &Request<hyper::body::Incoming>) -> Option<Status> {
    let token = lock(state).options.token.clone()?;
    let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    (given != Some(&format!("Bearer {token}"))).then(|| Status::unauthenticated("the token expired"))
}

/// A gRPC frame whose content is no message.
fn garbage() -> Response<Body> {
    let frame = Bytes::from_static(b"\0\0\0\0\x04\xff\xff\xff\xff");
    let body = http_body_util::Full::new(frame);
    Response::builder().header("content-type", "application/grpc").body(Body::new(body)).expect("a response")
}

/// Answers a call with one message.
pub async fn unary<Q, R>(
    request: Request<hyper::body::Incoming>,
    call: Called,
    act: fn(&Called, Q) -> Result<R, Status>,
) -> Response<Body>
where
    Q: Message + Default + 'static,
    R: Message + Default + 'static,
{
    let call = Arc::new(call);
    let service = service_fn(move |request: tonic::Request<Q>| {
        let outcome = act(&call, request.into_inner());
        async move { outcome.map(tonic::Response::new) }
    });
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<R, Q>::default()).max_decoding_message_size(4 << 20);
    grpc.unary(service, request).await
}

fn check_instance(call: &Called, instance: &str) -> Result<(), Status> {
    if lock(&call.state).options.instance == instance {
        return Ok(());
    }
    Err(Status::invalid_argument(format!("there is no instance \"{instance}\"")))
}

fn capabilities(call: &Called, request: GetCapabilitiesRequest) -> Result<ServerCapabilities, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(1);
    let options = lock(&call.state).options.clone();
    let compressors = if options.zstd { vec![1] } else { Vec::new() };
    Ok(ServerCapabilities {
        cache_capabilities: Some(CacheCapabilities {
            digest_functions: vec![1],
            action_cache_update_capabilities: None,
            max_batch_total_size_bytes: options.batch,
            supported_compressors: compressors.clone(),
            supported_batch_update_compressors: compressors,
        }),
        execution_capabilities: None,
    })
}

fn find_missing(call: &Called, request: FindMissingBlobsRequest) -> Result<FindMissingBlobsResponse, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(request.blob_digests.len());
    let state = lock(&call.state);
    let missing = |digest: &bst_remote::proto::Digest| {
        !Digest::from_proto(digest).is_ok_and(|digest| state.blobs.contains_key(&digest))
    };
    Ok(FindMissingBlobsResponse { missing_blob_digests: request.blob_digests.into_iter().filter(missing).collect() })
}

fn update(call: &Called, request: BatchUpdateBlobsRequest) -> Result<BatchUpdateBlobsResponse, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(request.requests.len());
    let limit = lock(&call.state).options.batch;
    let total: usize = request.requests.iter().map(|blob| blob.data.len()).sum();
    if limit > 0 && total as i64 > limit {
        return Err(Status::invalid_argument("more than the limit"));
    }
    let mut responses = Vec::new();
    for blob in request.requests {
        let digest = blob.digest.clone().unwrap_or_default();
        let code = match (&call.fault, Digest::from_proto(&digest)) {
            (Some(Kind::Forget), _) => Code::ResourceExhausted,
            (_, Ok(digest)) => store(call, digest, expand(blob.data, blob.compressor)),
            (_, Err(_)) => Code::InvalidArgument,
        };
        let status = rpc::Status { code: code as i32, message: String::new(), details: Vec::new() };
        responses.push(UpdatedBlob { digest: Some(digest), status: Some(status) });
    }
    Ok(BatchUpdateBlobsResponse { responses })
}

fn expand(data: Bytes, compressor: i32) -> Bytes {
    if compressor == 0 { data } else { zstd::stream::decode_all(&data[..]).unwrap_or_default().into() }
}

fn store(call: &Called, digest: Digest, bytes: Bytes) -> Code {
    if Digest::of(&bytes) != digest {
        return Code::InvalidArgument;
    }
    lock(&call.state).blobs.insert(digest, bytes);
    Code::Ok
}

fn read(call: &Called, request: BatchReadBlobsRequest) -> Result<BatchReadBlobsResponse, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(request.digests.len());
    let compress = request.acceptable_compressors.contains(&1);
    let state = lock(&call.state);
    let mut responses = Vec::new();
    for digest in request.digests {
        let found = Digest::from_proto(&digest).ok().and_then(|digest| state.blobs.get(&digest).cloned());
        let code = if found.is_some() { Code::Ok } else { Code::NotFound };
        let mut data = found.unwrap_or_default();
        if matches!(call.fault, Some(Kind::Corrupt)) && !data.is_empty() {
            data = changed(&data);
        }
        if compress {
            data = zstd::stream::encode_all(&data[..], 1).expect("zstd").into();
        }
        let status = rpc::Status { code: code as i32, message: String::new(), details: Vec::new() };
        responses.push(ReadBlob { digest: Some(digest), data, compressor: i32::from(compress), status: Some(status) });
    }
    Ok(BatchReadBlobsResponse { responses })
}

fn changed(bytes: &Bytes) -> Bytes {
    let mut changed = bytes.to_vec();
    changed[0] ^= 1;
    changed.into()
}

fn fetch(call: &Called, request: FetchRequest) -> Result<FetchResponse, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(request.uris.len());
    if request.uris.is_empty() {
        return Err(Status::invalid_argument("no URI"));
    }
    let state = lock(&call.state);
    let found = request.uris.iter().find_map(|uri| Some((uri.clone(), *state.assets.get(uri)?)));
    let found = match &call.fault {
        Some(Kind::Name(digest)) => Some((request.uris[0].clone(), *digest)),
        _ => found,
    };
    match found {
        Some((uri, digest)) => Ok(FetchResponse { status: None, uri, digest: Some(digest.to_proto()) }),
        None => Err(Status::not_found("no such asset")),
    }
}

fn push(call: &Called, request: PushRequest) -> Result<PushResponse, Status> {
    check_instance(call, &request.instance_name)?;
    call.note(request.uris.len());
    let digest = Digest::from_proto(&request.digest.unwrap_or_default());
    let digest = digest.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut state = lock(&call.state);
    // The order of a push is the client's duty: blobs first.
    for referenced in [&request.references_blobs, &request.references_directories].into_iter().flatten() {
        let there = Digest::from_proto(referenced).is_ok_and(|it| it == Digest::EMPTY || state.blobs.contains_key(&it));
        if !there {
            return Err(Status::failed_precondition(format!("{referenced:?} is not here")));
        }
    }
    if !state.blobs.contains_key(&digest) {
        return Err(Status::failed_precondition(format!("{digest} is not here")));
    }
    for uri in request.uris {
        state.assets.insert(uri, digest);
    }
    Ok(PushResponse {})
}

/// The digest at the end of a resource's name, and whether it is compressed.
fn resource(name: &str) -> Result<(Digest, bool), Status> {
    let parts: Vec<&str> = name.split('/').collect();
    let [.., hash, size] = parts[..] else { return Err(Status::invalid_argument(name)) };
    let digest = format!("{hash}/{size}").parse().map_err(|_| Status::invalid_argument(name))?;
    Ok((digest, name.contains("compressed-blobs/zstd")))
}

async fn read_stream(request: Request<hyper::body::Incoming>, call: Called) -> Response<Body> {
    let call = Arc::new(call);
    let service = service_fn(move |request: tonic::Request<ReadRequest>| {
        let pieces = pieces(&call, &request.into_inner());
        async move { pieces.map(|pieces| tonic::Response::new(tokio_stream::iter(pieces))) }
    });
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<ReadResponse, ReadRequest>::default());
    grpc.server_streaming(service, request).await
}

type Pieces = Vec<Result<ReadResponse, Status>>;

fn pieces(call: &Called, request: &ReadRequest) -> Result<Pieces, Status> {
    call.note(1);
    let (digest, zstd) = resource(&request.resource_name)?;
    let blob = lock(&call.state).blobs.get(&digest).cloned().ok_or_else(|| Status::not_found("no such blob"))?;
    let offset = usize::try_from(request.read_offset).unwrap_or(0);
    let mut bytes = blob.slice(offset.min(blob.len())..);
    let (mut cut, mut broken) = (bytes.len(), false);
    match &call.fault {
        Some(Kind::Corrupt) => bytes = changed(&bytes),
        Some(Kind::BreakAfter(length)) => (cut, broken) = (*length, true),
        Some(Kind::EndAfter(length)) => cut = *length,
        Some(Kind::TooMuch) => {
            bytes = [&bytes[..], b"more"].concat().into();
            cut = bytes.len();
        }
        _ => {}
    }
    bytes.truncate(cut);
    if zstd {
        bytes = zstd::stream::encode_all(&bytes[..], 1).expect("zstd").into();
    }
    let mut pieces: Pieces =
        bytes.chunks(60_000).map(|piece| Ok(ReadResponse { data: Bytes::copy_from_slice(piece) })).collect();
    if broken {
        pieces.push(Err(Status::unavailable("as the test wants it")));
    }
    Ok(pieces)
}

async fn write_stream(request: Request<hyper::body::Incoming>, call: Called) -> Response<Body> {
    let call = Arc::new(call);
    let service = service_fn(move |request: tonic::Request<tonic::Streaming<WriteRequest>>| {
        let call = call.clone();
        async move { take(&call, request.into_inner()).await.map(tonic::Response::new) }
    });
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<WriteResponse, WriteRequest>::default())
        .max_decoding_message_size(4 << 20);
    grpc.client_streaming(service, request).await
}

async fn take(call: &Called, mut stream: tonic::Streaming<WriteRequest>) -> Result<WriteResponse, Status> {
    call.note(1);
    let mut name = String::new();
    while let Some(message) = stream.next().await {
        let message = message?;
        if !message.resource_name.is_empty() {
            name = message.resource_name.clone();
        }
        let (digest, zstd) = resource(&name)?;
        let mut state = lock(&call.state);
        let kept = state.uploads.entry(name.clone()).or_default();
        if message.write_offset != kept.len() as i64 {
            return Err(Status::invalid_argument(format!("expected offset {}", kept.len())));
        }
        kept.extend_from_slice(&message.data);
        if let Some(Kind::BreakAfter(length)) = call.fault {
            if kept.len() >= length {
                return Err(Status::unavailable("as the test wants it"));
            }
        }
        if message.finish_write {
            let bytes = Bytes::from(state.uploads.remove(&name).unwrap_or_default());
            drop(state);
            let length = bytes.len();
            let code = store(call, digest, expand(bytes, i32::from(zstd)));
            return match code {
                Code::Ok => Ok(WriteResponse { committed_size: length as i64 }),
                code => Err(Status::new(code, "other bytes than the digest's")),
            };
        }
    }
    let committed = lock(&call.state).uploads.get(&name).map_or(0, Vec::len);
    Ok(WriteResponse { committed_size: committed as i64 })
}

fn write_status(call: &Called, request: QueryWriteStatusRequest) -> Result<QueryWriteStatusResponse, Status> {
    call.note(1);
    let state = lock(&call.state);
    let kept = state.uploads.get(&request.resource_name).ok_or_else(|| Status::not_found("no such upload"))?;
    Ok(QueryWriteStatusResponse { committed_size: kept.len() as i64, complete: false })
}
