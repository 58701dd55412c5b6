//! The binary `updraft`: every service in one process, and the operator's commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    updraft::main(std::env::args_os())
}
