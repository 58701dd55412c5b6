//! One instance as every driver reads it, and the file it lies in.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC: [u8; 8] = *b"UPDRAFT1";

/// What a pair of the best score costs, less that score: a pair of score s costs `COST_BASE` − s, which is 1 or more.
pub const COST_BASE: u16 = 10_001;

/// A solver of floats in lapx takes no cost of a million; this is still far more than any chain of moves can save.
const PENALTY: u32 = 500_000;

/// Executives, mentors with places, and what their pairs cost.
///
/// # File
///
/// All numbers little-endian and unsigned, without gaps:
///
/// | bytes | what |
/// |---|---|
/// | 8 | `UPDRAFT1` |
/// | 4, 4, 8 | executives n, mentors m, pairs |
/// | 4 | what an executive without a mentor costs |
/// | 4 | 1 if all executives can have a mentor at once, 0 if that is not known |
/// | 4 × m | places of each mentor |
/// | 8 × (n + 1) | where the pairs of each executive begin; the last one is the number of pairs |
/// | 4 × pairs | the mentor; within an executive ascending |
/// | 2 × pairs | the cost, 1 to 10,001 |
///
/// The answer of a driver is a file of n signed numbers of 4 bytes: per executive the mentor, or −1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// What an executive without a mentor costs; large enough to cover as many as possible first.
    pub penalty: u32,
    /// Whether all executives are known to be coverable at once, so that no peer needs to leave anybody out.
    pub coverable: bool,
    /// Per mentor, the places.
    pub capacities: Vec<u32>,
    /// Per executive, where the pairs begin; one more for the end.
    pub starts: Vec<u64>,
    /// Per pair, the mentor.
    pub mentors: Vec<u32>,
    /// Per pair, the cost, 1 to 10,001.
    pub costs: Vec<u16>,
}

impl Instance {
    /// An instance without executives yet.
    #[must_use]
    pub fn new(capacities: Vec<u32>, coverable: bool) -> Self {
        let (mentors, costs) = (Vec::new(), Vec::new());
        Self { penalty: PENALTY, coverable, capacities, starts: vec![0], mentors, costs }
    }

    /// Adds an executive, whose pairs are mentors with scores of 0 to 10,000, ascending by mentor.
    pub fn push(&mut self, pairs: impl IntoIterator<Item = (u32, u16)>) {
        for (mentor, score) in pairs {
            self.mentors.push(mentor);
            self.costs.push(COST_BASE - score);
        }
        self.starts.push(self.mentors.len() as u64);
    }

    /// The number of executives.
    #[must_use]
    pub fn executives(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where the pairs of an executive lie.
    #[must_use]
    pub fn pairs(&self, executive: usize) -> std::ops::Range<usize> {
        let at = |start: u64| usize::try_from(start).unwrap_or(usize::MAX);
        at(self.starts[executive])..at(self.starts[executive + 1])
    }

    /// The number of places of all mentors.
    #[must_use]
    pub fn places(&self) -> u64 {
        self.capacities.iter().copied().map(u64::from).sum()
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&MAGIC)?;
        let counts = [self.executives(), self.capacities.len()];
        for count in counts {
            file.write_all(&u32::try_from(count).map_err(io::Error::other)?.to_le_bytes())?;
        }
        file.write_all(&(self.mentors.len() as u64).to_le_bytes())?;
        for word in [self.penalty, u32::from(self.coverable)].iter().chain(&self.capacities) {
            file.write_all(&word.to_le_bytes())?;
        }
        for start in &self.starts {
            file.write_all(&start.to_le_bytes())?;
        }
        for mentor in &self.mentors {
            file.write_all(&mentor.to_le_bytes())?;
        }
        for cost in &self.costs {
            file.write_all(&cost.to_le_bytes())?;
        }
        file.flush()
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Those of the file system, and [`io::ErrorKind::InvalidData`] for a file of another kind.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        if bytes::<8>(&mut file)? != MAGIC {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let executives = u32::from_le_bytes(bytes(&mut file)?) as usize;
        let mentors = u32::from_le_bytes(bytes(&mut file)?) as usize;
        let pairs = usize::try_from(u64::from_le_bytes(bytes(&mut file)?)).map_err(io::Error::other)?;
        Ok(Self {
            penalty: u32::from_le_bytes(bytes(&mut file)?),
            coverable: u32::from_le_bytes(bytes(&mut file)?) == 1,
            capacities: numbers(&mut file, mentors, u32::from_le_bytes)?,
            starts: numbers(&mut file, executives + 1, u64::from_le_bytes)?,
            mentors: numbers(&mut file, pairs, u32::from_le_bytes)?,
            costs: numbers(&mut file, pairs, u16::from_le_bytes)?,
        })
    }
}

/// Writes an answer: per executive the mentor, if there is one.
///
/// # Errors
///
/// Those of the file system; a mentor beyond 31 bits.
pub fn write_answer(path: &Path, answer: impl IntoIterator<Item = Option<usize>>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for mentor in answer {
        let word = mentor.map_or(Ok(-1), i32::try_from).map_err(io::Error::other)?;
        file.write_all(&word.to_le_bytes())?;
    }
    file.flush()
}

/// Reads an answer of this many executives.
///
/// # Errors
///
/// Those of the file system, above all that it is too short.
pub fn read_answer(path: &Path, executives: usize) -> io::Result<Vec<Option<usize>>> {
    let words = numbers(&mut BufReader::new(File::open(path)?), executives, i32::from_le_bytes)?;
    Ok(words.into_iter().map(|word| usize::try_from(word).ok()).collect())
}

fn bytes<const LENGTH: usize>(file: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut word = [0; LENGTH];
    file.read_exact(&mut word)?;
    Ok(word)
}

fn numbers<T, const LENGTH: usize>(
    file: &mut impl Read,
    count: usize,
    decode: impl Fn([u8; LENGTH]) -> T,
) -> io::Result<Vec<T>> {
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(decode(bytes(file)?));
    }
    Ok(numbers)
}
