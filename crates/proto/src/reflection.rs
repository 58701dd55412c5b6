//! The descriptors, as the gateway, reflection and the validation read them.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor};

use crate::api::MethodRule;

static DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[expect(clippy::expect_used, reason = "the bytes come from the build script of this crate")]
static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("descriptors of the build"));

#[expect(clippy::expect_used, reason = "the extension is defined in proto/updraft/api/v1/method.proto")]
static METHOD: LazyLock<ExtensionDescriptor> =
    LazyLock::new(|| POOL.get_extension_by_name("updraft.api.v1.method").expect("our own extension"));

/// Every message, service and option of `/proto`, with its comments.
#[must_use]
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The same as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
#[must_use]
pub fn descriptors() -> &'static [u8] {
    DESCRIPTORS
}

/// What REST needs to know of a method; all unset where nothing is said.
#[must_use]
pub fn method_rule(method: &MethodDescriptor) -> MethodRule {
    let options = method.options();
    let value = options.get_extension(&METHOD);
    value.as_message().and_then(|rule| MethodRule::decode(&*rule.encode_to_vec()).ok()).unwrap_or_default()
}
