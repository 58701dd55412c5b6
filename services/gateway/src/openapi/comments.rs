//! The comments of the proto files.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::FileDescriptor;

static COMMENTS: LazyLock<HashMap<(String, Vec<i32>), String>> = LazyLock::new(|| {
    let mut comments = HashMap::new();
    for file in proto::pool().files() {
        let info = file.file_descriptor_proto().source_code_info.as_ref();
        for location in info.into_iter().flat_map(|info| &info.location) {
            if let Some(comment) = &location.leading_comments {
                let lines = comment.lines().map(str::trim).collect::<Vec<_>>();
                let place = (file.name().to_owned(), location.path.clone());
                comments.insert(place, lines.join("\n").trim().to_owned());
            }
        }
    }
    comments
});

/// The comment above what stands at a path in a file.
pub(super) fn comment(file: &FileDescriptor, path: &[i32]) -> Option<&'static str> {
    COMMENTS.get(&(file.name().to_owned(), path.to_vec())).map(String::as_str)
}
