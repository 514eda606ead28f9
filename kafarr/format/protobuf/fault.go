package protobuf

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// fault is why a row failed. Faults travel as small integers: building an error in the loop would make every field pay for what hardly ever happens.
type fault uint8

const (
	ok fault = iota
	faultShort
	faultVarintLong
	faultNumber
	faultWire
	faultStrayEnd
	faultLength
	faultUnknownLength
	faultPacked
	faultUTF8
	faultRequired
	faultTimestamp
	faultDuration
	faultDate
	faultTimeOfDay
	faultPrecision
	faultScale
	faultDepth
	faultJSON
	faultMemory
	faultNoMemory
	faultSteps
	faultFull
	faultLong
)

type failure struct {
	fault  fault
	path   string
	layout *layout
	value  int64 // what was found
}

func (f failure) err(a *Appender, length int) error {
	switch f.fault {
	case faultFull:
		return format.ErrFull
	case faultLong:
		return format.ErrLong
	}
	return located(status.DecodeError, f.path, "%s", f.text(a, length))
}

// nullsInstead says what reads a row that one value of its, which Arrow cannot hold, makes fail.
const nullsInstead = ` (out_of_range="null" reads such values as nulls)`

func (f failure) text(a *Appender, length int) string {
	switch f.fault {
	case faultShort:
		return fmt.Sprintf("the body ends within the value (%d bytes)", length)
	case faultVarintLong:
		return "a varint is longer than 10 bytes"
	case faultNumber:
		return "a tag has a field number that no field can have"
	case faultWire:
		return fmt.Sprintf("the tag of field %d has the wire type %d, which does not exist", f.value>>3, f.value&7)
	case faultStrayEnd:
		return fmt.Sprintf("a group of the number %d ends that has not begun", f.value>>3)
	case faultLength:
		return fmt.Sprintf("length %d is beyond the message that it lies in (body of %d bytes)", uint64(f.value), length) //nolint:gosec // as it was read
	case faultUnknownLength:
		return fmt.Sprintf("the length of field %d is beyond the message that it lies in (body of %d bytes)", f.value>>3, length)
	case faultPacked:
		return fmt.Sprintf("a packed list of %d bytes is not a number of whole values", f.value)
	case faultUTF8:
		return "string is not valid UTF-8"
	case faultRequired:
		return "the field is required and missing"
	case faultTimestamp:
		if a.plan.nanos {
			return `the timestamp lies outside of 1677 to 2262, which nanoseconds reach; timestamps="us" holds all years` + nullsInstead
		}
		return "the timestamp does not fit into 64 bits of microseconds" + nullsInstead
	case faultDuration:
		if a.plan.nanos {
			return `the duration is longer than the 292 years that nanoseconds reach; timestamps="us" holds it` + nullsInstead
		}
		return "the duration does not fit into 64 bits of microseconds" + nullsInstead
	case faultDate:
		return "the date lacks its year, month or day, or is none" + nullsInstead
	case faultTimeOfDay:
		return "the time of day is outside of 24 hours" + nullsInstead
	case faultPrecision:
		return fmt.Sprintf("the decimal does not fit into %d digits, %d of them after the point", f.layout.digits, f.layout.scale) + nullsInstead
	case faultScale:
		return "the decimal has a scale outside of ±100,000, or as many bytes" + nullsInstead
	case faultDepth:
		return fmt.Sprintf("the value nests deeper than %d levels", maxDepth)
	case faultJSON:
		return fmt.Sprintf("the value's JSON is longer than %d MiB and %d times the body", jsonBytes>>20, jsonBytesPerByte)
	case faultMemory:
		return a.limits.MemoryText()
	case faultNoMemory:
		return fmt.Sprintf("there is no memory for the message: the system refused %d bytes", f.value)
	case faultSteps:
		return a.limits.StepsText("")
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
