//! The enrollment service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    boot::run::<enrollment::Enrollment>()
}
