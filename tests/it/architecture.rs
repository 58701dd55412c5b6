//! The rules of the house, read from the manifests and the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, lines.
const FILE_LINES_MAX: usize = 400;
/// Lowest first: a crate may use those before it.
const CRATES: [&str; 8] =
    ["proto", "telemetry", "assignment", "identity", "eventlog", "relay", "vault", "boot"];
const FORBIDDEN_NAMES: [&str; 7] = ["utils", "helpers", "common", "types", "models", "manager", "service"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The bounded contexts and the gateway: every folder but that of the process which holds them all.
fn services() -> Vec<String> {
    let folders = fs::read_dir(root().join("services")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "updraft").collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "target" | "node_modules") && !name.starts_with('.') {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Names of our own crates below a table of dependencies.
fn dependencies(manifest: &str, table: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == format!("[{table}]");
        } else if inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
            found.push(name.to_owned());
        }
    }
    found
}

fn uses(file: &Path, word: &str) -> bool {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(str::trim).filter(|line| !line.starts_with("//")).any(|line| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !is_part(before) && !is_part(after)
        })
    })
}

/// Files of a service that make up one of its parts: `domain.rs` or all below `domain/`.
fn part(service: &str, name: &str) -> Vec<PathBuf> {
    let source = root().join("services").join(service).join("src");
    let single = source.join(format!("{name}.rs"));
    let mut files = if source.join(name).is_dir() { sources(&source.join(name)) } else { Vec::new() };
    if single.is_file() {
        files.push(single);
    }
    files
}

fn assert_free_of(service: &str, part_name: &str, words: &[&str]) {
    for file in part(service, part_name) {
        for word in words {
            assert!(!uses(&file, word), "{} must not use {word}", file.display());
        }
    }
}

#[test]
fn crates_use_only_lower_crates_and_never_a_service() {
    for (height, name) in CRATES.iter().enumerate() {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        for dependency in dependencies(&manifest, "dependencies") {
            assert!(!services().contains(&dependency), "crate {name} knows the service {dependency}");
            if let Some(other) = CRATES.iter().position(|other| *other == dependency) {
                assert!(other < height, "crate {name} uses {dependency}, which is not below it");
            }
        }
    }
}

#[test]
fn services_know_crates_and_never_each_other() {
    for name in services() {
        let manifest = fs::read_to_string(root().join("services").join(&name).join("Cargo.toml")).unwrap();
        for dependency in dependencies(&manifest, "dependencies") {
            assert!(!services().contains(&dependency), "service {name} knows the service {dependency}");
        }
    }
}

#[test]
fn the_gateway_has_no_database() {
    let manifest = fs::read_to_string(root().join("services/gateway/Cargo.toml")).unwrap();
    for forbidden in ["eventlog", "sqlx", "vault"] {
        assert!(!dependencies(&manifest, "dependencies").iter().any(|name| name == forbidden), "{forbidden}");
    }
}

#[test]
fn what_decides_is_pure() {
    for service in services() {
        let effects =
            ["sqlx", "tonic", "prost", "proto", "tokio", "async", "eventlog", "boot", "vault", "mint"];
        assert_free_of(&service, "domain", &effects);
    }
}

#[test]
fn codecs_know_no_database_and_no_grpc() {
    for service in services() {
        assert_free_of(&service, "codec", &["sqlx", "tonic"]);
    }
}

#[test]
fn views_know_no_wire_format() {
    for service in services() {
        assert_free_of(&service, "views", &["proto", "tonic", "prost"]);
    }
}

#[test]
fn grpc_has_no_sql() {
    for service in services() {
        assert_free_of(&service, "grpc", &["query", "query_as", "query_scalar"]);
    }
}

#[test]
fn no_file_is_too_long_and_none_is_called_by_an_empty_word() {
    for file in sources(&root()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", file.display());
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!FORBIDDEN_NAMES.contains(&stem.as_str()), "{} says nothing by its name", file.display());
    }
}

#[test]
fn versions_and_lints_are_set_in_one_place() {
    for folder in ["crates", "services", "tests"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else { continue };
            assert!(text.contains("[lints]\nworkspace = true"), "{} sets its own lints", manifest.display());
            for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
                for line in text.lines().skip_while(|line| *line != format!("[{table}]")).skip(1) {
                    if line.starts_with('[') {
                        break;
                    }
                    let said_elsewhere = line.is_empty() || line.contains("workspace = true");
                    assert!(said_elsewhere, "{}: {line}", manifest.display());
                }
            }
        }
    }
}

#[test]
fn a_service_is_a_handful_of_files_with_the_same_names() {
    let mut missing = BTreeMap::new();
    for service in services().into_iter().filter(|service| service != "gateway") {
        let source = root().join("services").join(&service).join("src");
        for file in ["lib.rs", "main.rs", "views.rs", "grpc.rs", "codec.rs"] {
            if !source.join(file).is_file() && !source.join(file.trim_end_matches(".rs")).is_dir() {
                missing.entry(service.clone()).or_insert_with(Vec::new).push(file);
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
