//! What a run of a driver costs, and the line in which it says so.
//!
//! A driver prints one line of words `name=number`: the processor seconds `load_s` (reading the file), `build_s` (filling
//! the form in which the solver takes an instance) and `solve_s` (everything from there to the answer), of all threads,
//! user and system; and `memory_kb`, the peak of the resident set less what the bare process had before it read anything, so
//! that the instance itself is counted in whatever form the solver needs it. Further words are effort counts.
//!
//! What is faster than `REPEAT_SECONDS` is done again and again until that time has passed, and its mean is told.

use std::fmt::Display;
use std::{fs, io};

use rustix::time::{ClockId, clock_gettime};

/// As long as this takes, something is repeated; the drivers in other languages have the same.
pub const REPEAT_SECONDS: f64 = 0.1;

/// Measures one process from its start.
#[derive(Debug)]
pub struct Gauge {
    bare_kb: u64,
    lap: f64,
    words: Vec<String>,
}

impl Gauge {
    /// Begins to measure; first of all in a process.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell the memory of a process.
    pub fn start() -> io::Result<Self> {
        Ok(Self { bare_kb: memory_kb("VmRSS:")?, lap: cpu_seconds(), words: Vec::new() })
    }

    /// Notes the processor seconds since the last lap or the start under this name.
    pub fn lap(&mut self, name: &str) {
        let now = cpu_seconds();
        self.note(name, now - self.lap);
        self.lap = cpu_seconds();
    }

    /// Does something as often as it takes to measure it, notes the mean of its processor seconds and returns the last
    /// result.
    pub fn repeat<T>(&mut self, name: &str, mut action: impl FnMut() -> T) -> T {
        let begun = cpu_seconds();
        let mut times = 1_u32;
        loop {
            let result = action();
            let spent = cpu_seconds() - begun;
            if spent >= REPEAT_SECONDS {
                self.note(name, spent / f64::from(times));
                self.lap = cpu_seconds();
                return result;
            }
            times += 1;
        }
    }

    /// Notes the peak of memory so far.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell the memory of a process.
    pub fn memory(&mut self) -> io::Result<()> {
        let peak_kb = memory_kb("VmHWM:")?;
        self.note("memory_kb", peak_kb.saturating_sub(self.bare_kb));
        self.lap = cpu_seconds();
        Ok(())
    }

    /// Notes a number under a name.
    pub fn note(&mut self, name: &str, number: impl Display) {
        self.words.push(format!("{name}={number}"));
    }

    /// Prints the line.
    pub fn print(self) {
        println!("{}", self.words.join(" "));
    }
}

/// Processor seconds of this process so far: all threads, user and system.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

fn memory_kb(field: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| io::Error::other(format!("/proc/self/status has no {field}")))
}
