//! Compiles the protobuf files of `/proto` without a protoc.

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto").canonicalize()?;
    // Not the folder of recorded events, which are read by tests alone.
    for folder in ["updraft", "buf", "google"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(proto_files(&root.join("updraft"))?)?;

    // prost-types drops options it does not know, and ours are such: the pool reads the bytes that protox encodes.
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .build_transport(true)
        .compile_fds_with_config(without_options(&compiler), config)?;
    Ok(())
}

/// Our packages and the well-known types become Rust; the options of others are read through reflection alone.
fn without_options(compiler: &protox::Compiler) -> prost_types::FileDescriptorSet {
    let mut set = compiler.file_descriptor_set();
    set.file.retain(|file| file.package().starts_with("updraft.") || file.package() == "google.protobuf");
    set
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
