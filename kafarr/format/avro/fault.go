package avro

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// fault is why a row failed. Faults travel as small integers: building an error in the loop would make every step pay for what hardly ever happens.
type fault uint8

const (
	ok fault = iota
	faultShort
	faultVarintLong
	faultIntRange
	faultBoolean
	faultUnion
	faultBranch
	faultEnum
	faultSymbol
	faultLength
	faultUTF8
	faultTrailing
	faultTime
	faultPrecision
	faultDuration
	faultBigDecimal
	faultScale
	faultDecimalText
	faultBlockSize
	faultCount
	faultBlockItems
	faultEmptyItems
	faultDepth
	faultJSON
	faultMemory
	faultNoMemory
	faultSteps
	faultSealed
	faultKey
	faultFull
	faultLong
)

type failure struct {
	fault fault
	step  int
	value int64 // what was found: an index, a length, a byte
}

func (f failure) err(a *Appender, length int) error {
	s := &step{}
	if f.step < len(a.steps) {
		s = a.steps[f.step].more
	}
	switch f.fault {
	case faultFull:
		return format.ErrFull
	case faultLong:
		return format.ErrLong
	case faultKey:
		return &format.KeyError{Path: s.path, Rule: s.table[0], Version: int(f.value)}
	case faultBranch:
		return &IncompatibleError{Path: s.path, Msg: s.unreadable[f.value]}
	case faultSymbol:
		msg := fmt.Sprintf("the reader's enum has neither the symbol with the writer's index %d nor a default", f.value)
		if bad := s.schema.badDefault; bad != "" {
			msg = fmt.Sprintf("the reader's enum lacks the symbol with the writer's index %d, and its default %s is none of its symbols", f.value, bad)
		}
		return &IncompatibleError{Path: s.path, Msg: msg}
	}
	return &DecodeError{Path: s.path, Msg: f.text(s, length, &a.limits)}
}

// nullsInstead says what reads a row that one value of its, which Arrow cannot hold, makes fail.
const nullsInstead = ` (out_of_range="null" reads such values as nulls)`

func (f failure) text(s *step, length int, limits *format.Limits) string {
	switch f.fault {
	case faultShort:
		return fmt.Sprintf("the body ends within the value (%d bytes)", length)
	case faultVarintLong:
		return "varint is longer than 10 bytes"
	case faultIntRange:
		return "int is outside 32 bits"
	case faultBoolean:
		return fmt.Sprintf("boolean is %d, neither 0 nor 1", f.value)
	case faultUnion:
		return fmt.Sprintf("union index %d is out of range", f.value)
	case faultEnum:
		return fmt.Sprintf("enum index %d is out of range", f.value)
	case faultLength:
		return fmt.Sprintf("length %d is beyond the body (%d bytes)", f.value, length)
	case faultUTF8:
		return "string is not valid UTF-8"
	case faultTrailing:
		return fmt.Sprintf("%d bytes are left over after the last field", f.value)
	case faultTime:
		return fmt.Sprintf("time of day %d is outside of 24 hours", f.value) + nullsInstead
	case faultPrecision:
		return fmt.Sprintf("decimal has more than its %d digits", s.size) + nullsInstead
	case faultDuration:
		return "duration has more months or days than 32 bits with a sign hold" + nullsInstead
	case faultDecimalText:
		return fmt.Sprintf("decimal takes %d bytes, more than %d", f.value, maxDecimalDigits) + nullsInstead
	case faultBigDecimal:
		return "big-decimal is not an unscaled value and a scale"
	case faultScale:
		return "big-decimal has a scale outside of ±100,000, or as many bytes" + nullsInstead
	case faultBlockSize:
		return fmt.Sprintf("a block's size of %d bytes is not its items'", f.value)
	case faultCount:
		return fmt.Sprintf("a block of %d items is beyond the body (%d bytes)", f.value, length)
	case faultBlockItems:
		return fmt.Sprintf("a block holds %d items, more than %d", f.value, limits.BlockItems)
	case faultEmptyItems:
		return fmt.Sprintf("the message has more than %d items that take no bytes", limits.EmptyItems)
	case faultJSON:
		return fmt.Sprintf("the value's JSON is longer than %d MiB and %d times the body", jsonBytes>>20, jsonBytesPerByte)
	case faultMemory:
		return limits.MemoryText()
	case faultNoMemory:
		return fmt.Sprintf("there is no memory for the message: the system refused %d bytes", f.value)
	case faultSteps:
		return limits.StepsText(", those of no bytes counted")
	case faultSealed:
		return "the value cannot be decrypted: it was not encrypted with the key that the rule names, or was changed since"
	case faultDepth:
		return fmt.Sprintf("the value nests deeper than %d levels", limits.ValueDepth)
	}
	return "the body does not fit its schema"
}

// varintFault is the fault of a varint, by the place of the next position.
func varintFault(pos int) fault {
	if pos == format.VarintLong {
		return faultVarintLong
	}
	return faultShort
}
