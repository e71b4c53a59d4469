//! A module whose code lies in streams, like beside like: opcodes with
//! opcodes, locals with locals. So packed it is an eighth smaller than whole.
//!
//! First comes the length of each stream, then the streams.

/// The stream of all before the functions of a module.
pub const BEFORE: usize = 0;
/// That of all after them.
pub const AFTER: usize = 1;
/// That of the opcodes of all functions.
pub const OPCODES: usize = 2;
/// The streams of the operands of each opcode.
const OPERANDS: usize = 3;
/// Those of the operands of `i32.const`, by the opcode that comes next.
const CONSTANTS: usize = OPERANDS + 256;
/// The stream of the offsets of all loads and stores.
pub const OFFSETS: usize = CONSTANTS + 256;
/// How many there are.
pub const STREAMS: usize = OFFSETS + 1;

/// Stands for the `end` of a function. What would be its operands are the
/// function's declarations of locals.
pub const LAST: u8 = 0xff;
const END: u8 = 0x0b;
const I32_CONST: u8 = 0x41;

/// How many locals a function may have.
pub const LOCALS: usize = 512;

/// What follows an opcode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operands {
    /// Nothing.
    None,
    /// One number.
    Number,
    /// A local, by its place in [`Locals`].
    Local,
    /// An alignment, and among `OFFSETS` an offset.
    Address,
    /// Anything else; a byte before it says how many bytes.
    Other,
}

/// What follows this opcode.
pub fn operands(opcode: u8) -> Operands {
    match opcode {
        0x02..=0x04 | 0x0c | 0x0d | 0x10 | 0x23..=0x26 | 0x3f..=0x42 => Operands::Number,
        0x20..=0x22 => Operands::Local,
        0x28..=0x3e => Operands::Address,
        0x0e | 0x11 | 0x1c | 0x43 | 0x44 | 0xd0..=0xfe => Operands::Other,
        _ => Operands::None,
    }
}

/// Which stream the operands of an opcode are in.
pub fn stream(opcode: u8, next: u8) -> usize {
    match opcode {
        I32_CONST => CONSTANTS + usize::from(next),
        _ => OPERANDS + usize::from(opcode),
    }
}

/// The locals of a function, that which was used last first.
#[derive(Debug)]
pub struct Locals([u16; LOCALS]);

impl Default for Locals {
    fn default() -> Self {
        Self(std::array::from_fn(|local| local as u16))
    }
}

impl Locals {
    /// The local at a place, which comes first from now on.
    #[inline(never)]
    pub fn used(&mut self, place: usize) -> Option<u16> {
        let local = *self.0.get(place)?;
        let mut moved = local;
        for other in self.0.iter_mut().take(place + 1) {
            std::mem::swap(other, &mut moved);
        }
        Some(local)
    }

    /// Where a local is.
    pub fn place(&self, local: u16) -> Option<usize> {
        self.0.iter().position(|other| *other == local)
    }
}

/// Fills `output` with the module. `None` if that is not what is there.
pub fn join(split: &[u8], output: &mut [u8]) -> Option<()> {
    let mut streams = Streams::new(split)?;
    let mut module = Module {
        bytes: output,
        len: 0,
    };
    module.add(streams.0[BEFORE])?;
    for opcodes in streams.0[OPCODES].split_inclusive(|opcode| *opcode == LAST) {
        join_function(opcodes, &mut streams, &mut module)?;
    }
    module.add(streams.0[AFTER])?;
    (module.len == module.bytes.len()).then_some(())
}

#[inline(never)]
fn join_function(opcodes: &[u8], streams: &mut Streams<'_>, module: &mut Module<'_>) -> Option<()> {
    let start = module.len;
    module.add(some(streams.0.get_mut(stream(LAST, LAST))?)?)?;
    let mut locals = Locals::default();
    for (at, &opcode) in opcodes.iter().enumerate() {
        module.push(if opcode == LAST { END } else { opcode })?;
        let next = opcodes.get(at + 1).copied().unwrap_or(LAST);
        let own = streams.0.get_mut(stream(opcode, next))?;
        match operands(opcode) {
            Operands::None => {}
            Operands::Local => {
                let local = locals.used(number(own)?)?;
                module.add_number(local.into())?;
            }
            Operands::Number => module.add_number_of(own)?,
            Operands::Address => {
                module.add_number_of(own)?;
                module.add_number_of(&mut streams.0[OFFSETS])?;
            }
            Operands::Other => module.add(some(own)?)?,
        }
    }
    module.put_length(start)
}

/// What is left of each stream.
struct Streams<'a>([&'a [u8]; STREAMS]);

impl<'a> Streams<'a> {
    fn new(mut bytes: &'a [u8]) -> Option<Self> {
        let mut lengths = [0; STREAMS];
        for length in &mut lengths {
            *length = number(&mut bytes)?;
        }
        let mut streams = [&bytes[..0]; STREAMS];
        for (stream, length) in streams.iter_mut().zip(lengths) {
            *stream = bytes.split_off(..length)?;
        }
        Some(Self(streams))
    }
}

/// The next bytes of a stream that says how many there are.
#[inline(never)]
fn some<'a>(stream: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = *stream.split_off_first()?;
    stream.split_off(..length.into())
}

/// The next number of a stream, as wasm has it: seven bits a byte, the lowest
/// first, and in all but the last the eighth set.
fn number(stream: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for place in (0..usize::BITS).step_by(7) {
        let byte = *stream.split_off_first()?;
        number |= usize::from(byte & 0x7f) << place;
        if byte < 0x80 {
            break;
        }
    }
    Some(number)
}

struct Module<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Module<'_> {
    #[inline(never)]
    fn add(&mut self, bytes: &[u8]) -> Option<()> {
        bytes.iter().try_for_each(|byte| self.push(*byte))
    }

    /// Adds the next number of a stream.
    #[inline(never)]
    fn add_number_of(&mut self, stream: &mut &[u8]) -> Option<()> {
        loop {
            let byte = *stream.split_off_first()?;
            self.push(byte)?;
            if byte < 0x80 {
                return Some(());
            }
        }
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }

    fn add_number(&mut self, mut number: usize) -> Option<()> {
        while number >= 0x80 {
            self.push(number as u8 | 0x80)?;
            number >>= 7;
        }
        self.push(number as u8)
    }

    /// Puts the length of what was added since before it.
    fn put_length(&mut self, start: usize) -> Option<()> {
        let length = self.len - start;
        self.add_number(length)?;
        let end = self.len;
        let function = self.bytes.get_mut(start..end)?;
        let width = function.len().checked_sub(length)?;
        function.copy_within(..length, width);
        self.len = start;
        self.add_number(length)?;
        self.len = end;
        Some(())
    }
}
