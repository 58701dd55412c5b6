//! The sessions service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    boot::run::<sessions::Sessions>()
}
