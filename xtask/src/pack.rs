//! Packing the wasm that is inlined in the npm package, as `presence-unpack` reads it.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use lzma_rust2::{LzmaOptions, LzmaWriter};
use presence_unpack::code::{
    AFTER, BEFORE, LAST, LOCALS, Locals, OFFSETS, OPCODES, Operands, STREAMS, operands, stream,
};
use wasmparser::{BinaryReader, FunctionBody, Parser, Payload};

/// A packed module.
pub(crate) struct Packed {
    /// In streams of what is alike.
    pub(crate) split: Vec<u8>,
    /// These compressed.
    pub(crate) compressed: Vec<u8>,
}

/// Packs a module, and sees that it comes out again.
pub(crate) fn pack(wasm: &[u8]) -> Result<Packed> {
    let split = split(wasm)?;
    let compressed = compress(&split)?;
    let mut unpacked_split = vec![0; split.len()];
    let mut unpacked = vec![0; wasm.len()];
    presence_unpack::unpack(&compressed, &mut unpacked_split)
        .and_then(|()| presence_unpack::join(&unpacked_split, &mut unpacked))
        .context("what was packed cannot be unpacked")?;
    ensure!(unpacked == wasm, "what was packed is unpacked to another");
    Ok(Packed { split, compressed })
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let options = LzmaOptions {
        lc: presence_unpack::LITERAL_CONTEXT_BITS,
        pb: 0,
        nice_len: LzmaOptions::NICE_LEN_MAX,
        ..LzmaOptions::with_preset(9)
    };
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, false)?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// A module as `presence_unpack::join` wants it.
fn split(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut streams = vec![Vec::new(); STREAMS];
    let mut code = 0..0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::CodeSectionStart { count, range, .. } => {
                code = range.start + number(count as usize).len()..range.end;
            }
            Payload::CodeSectionEntry(body) => split_body(wasm, &body, &mut streams)?,
            _ => {}
        }
    }
    streams[BEFORE] = wasm[..code.start].into();
    streams[AFTER] = wasm[code.end..].into();
    let lengths = streams.iter().flat_map(|stream| number(stream.len()));
    Ok(lengths.chain(streams.concat()).collect())
}

fn split_body(wasm: &[u8], body: &FunctionBody<'_>, streams: &mut [Vec<u8>]) -> Result<()> {
    let operators = body.get_operators_reader()?;
    let (start, end) = (operators.original_position(), body.range().end);
    let mut starts = operators
        .into_iter_with_offsets()
        .map(|operator| Ok(operator?.1))
        .collect::<Result<Vec<_>>>()?;
    starts.push(end);
    let mut locals = Locals::default();
    for (at, instruction) in starts.windows(2).enumerate() {
        let (opcode, operand) = (
            wasm[instruction[0]],
            &wasm[instruction[0] + 1..instruction[1]],
        );
        if instruction[1] == end {
            streams[OPCODES].push(LAST);
            break;
        }
        let next = match starts.get(at + 2) {
            Some(&after) if after != end => wasm[instruction[1]],
            _ => LAST,
        };
        streams[OPCODES].push(opcode);
        let own = &mut streams[stream(opcode, next)];
        match operands(opcode) {
            Operands::None => ensure!(operand.is_empty(), "{opcode:#x} has operands"),
            Operands::Number => own.extend(operand),
            Operands::Local => {
                let local = BinaryReader::new(operand, 0).read_var_u32()?;
                let place = u16::try_from(local)
                    .ok()
                    .and_then(|local| locals.place(local));
                let place = place.with_context(|| format!("more than {LOCALS} locals"))?;
                locals.used(place);
                own.extend(number(place));
            }
            Operands::Address => {
                let (alignment, offset) = operand.split_at(1);
                own.extend(alignment);
                streams[OFFSETS].extend(offset);
            }
            Operands::Other => some(own, operand)?,
        }
    }
    some(
        &mut streams[stream(LAST, LAST)],
        &wasm[body.range().start..start],
    )
}

/// Bytes, and before them how many they are.
fn some(stream: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    stream.push(u8::try_from(bytes.len()).context("operands of more than 255 bytes")?);
    stream.extend(bytes);
    Ok(())
}

/// A number as wasm has it, in LEB128.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module of functions that are these bytes: declarations of locals, and instructions.
    fn module(functions: &[&[u8]]) -> Vec<u8> {
        let mut code = number(functions.len());
        for function in functions {
            code.extend(number(function.len()));
            code.extend(*function);
        }
        let mut types = number(functions.len());
        types.extend(functions.iter().map(|_| 0));
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        for (id, section) in [(3, types), (10, code)] {
            wasm.push(id);
            wasm.extend(number(section.len()));
            wasm.extend(section);
        }
        wasm.extend(b"\0\x03\x02hi"); // a custom section
        wasm
    }

    #[test]
    fn takes_every_kind_of_operands() -> Result<()> {
        let numbers = [
            0x41, 0xac, 0x02, 0x41, 0x7f, 0x42, 0xff, 0x00, 0x6a, 0x10, 0x80, 0x01,
        ];
        let addresses = [0x28, 0x02, 0xc8, 0x01, 0x36, 0x00, 0x00];
        let others = [
            0x0e, 0x02, 0x00, 0x01, 0x00, 0x44, 1, 2, 3, 4, 5, 6, 7, 8, 0xfc, 0x0a, 0, 0, 0xfd,
            0x0f,
        ];
        let blocks = [0x02, 0x40, 0x0c, 0x00, 0x0b];
        let locals = [0x20, 0x07, 0x21, 0x90, 0x01, 0x20, 0x07, 0x22, 0x00];
        let mut long = vec![0x01, 0xff, 0x01, 0x7f];
        for _ in 0..20 {
            long.extend([&numbers[..], &addresses, &others, &blocks, &locals].concat());
        }
        long.push(0x0b);
        let wasm = module(&[&[0x00, 0x0b], &long, &[0x00, 0x41, 0x00, 0x0b]]);
        let packed = pack(&wasm)?;
        assert!(packed.compressed.len() < wasm.len() / 4);
        Ok(())
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let refusal = |function: &[u8]| {
            pack(&module(&[function]))
                .err()
                .map(|error| error.to_string())
        };
        let locals = refusal(&[0x00, 0x20, 0x80, 0x04, 0x0b]);
        assert_eq!(locals.as_deref(), Some("more than 512 locals"));
        let mut table = vec![0x00, 0x0e, 0x80, 0x02];
        table.extend([0x00; 257]);
        table.push(0x0b);
        let table = refusal(&table);
        assert_eq!(table.as_deref(), Some("operands of more than 255 bytes"));
    }
}
