//! The service notifications as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    boot::run::<notifications::Notifications>()
}
