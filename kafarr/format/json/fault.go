package json

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// fault is why a row failed. Faults travel as small integers, and between functions as negative positions: building an error in the loop would make every value pay for what hardly
// ever happens.
type fault int

const (
	ok fault = iota
	faultShort
	faultSyntax
	faultTrailing
	faultName
	faultColon
	faultComma
	faultNumber
	faultFraction
	faultRange
	faultControl
	faultEscape
	faultSurrogate
	faultUTF8
	faultBoolean
	faultString
	faultObject
	faultArray
	faultNullOnly
	faultBranch
	faultValue
	faultNull
	faultMissing
	faultUnknown
	faultSymbol
	faultBase64
	faultDecimal
	faultPrecision
	faultScale
	faultDateTime
	faultZone
	faultNoZone
	faultTimestamp
	faultDate
	faultTime
	faultTimeRange
	faultEntry
	faultDepth
	faultMemory
	faultNoMemory
	faultSteps
	faultFull
	faultLong
)

// position carries a fault where a position is expected.
func (f fault) position() int { return -int(f) }

// failed is the position of a value that was not read to its end; the appender's failure says why.
const failed = -1 << 30

// failure is why a row failed, and where.
type failure struct {
	fault fault
	field *field // nil: the body as a whole
	at    int    // the byte of the body
	name  string // of a member
	bytes int
}

// fail notes why a row failed. next is the fault as a position; where it is `failed`, it is noted already.
func (a *Appender) fail(f *field, next, pos int) int {
	if next != failed {
		a.failure = failure{fault: fault(-next), field: f, at: pos}
	}
	return failed
}

// notA is the fault of a value that begins as another type's, or not at all.
func notA(base unsafe.Pointer, pos, end int, f fault) int {
	if pos >= end {
		return faultShort.position()
	}
	switch at(base, pos) {
	case '"', '{', '[', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f', 'n':
		return f.position()
	}
	return faultSyntax.position()
}

// found says what type of value begins with a byte.
func found(b format.Body, pos int) string {
	if pos >= b.Len {
		return "the end of the body"
	}
	switch c := at(b.Data, pos); c {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		if c == '-' || c-'0' <= 9 {
			return "a number"
		}
		return fmt.Sprintf("the byte 0x%02x", c)
	}
}

// String names the values, as in "an object or an array".
func (v Values) String() string {
	var names []string
	for i, name := range []string{"an object", "an array", "a string", "a number", "a boolean"} {
		if v&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// err is the error of a body that failed.
func (f *failure) err(a *Appender, b format.Body) error {
	switch f.fault {
	case faultFull:
		return format.ErrFull
	case faultLong:
		return format.ErrLong
	}
	e := status.Errorf(status.DecodeError, "%s", f.text(a, b))
	if f.field != nil {
		e.Path = f.field.more.path
		if f.fault == faultMissing || f.fault == faultUnknown {
			e.Path = join(e.Path, f.name)
		}
	}
	return e
}

// nullsInstead says what reads a row that one value of its, which Arrow cannot hold, makes fail.
const nullsInstead = ` (out_of_range="null" reads such values as nulls)`

func (f *failure) text(a *Appender, b format.Body) string {
	var what string
	switch f.fault {
	case faultMemory:
		return a.limits.MemoryText()
	case faultNoMemory:
		return fmt.Sprintf("there is no memory for the message: the system refused %d bytes", f.bytes)
	case faultSteps:
		return a.limits.StepsText(", those of no bytes counted")
	case faultShort:
		if b.Len == 0 {
			return "the body is empty, which is no JSON: a record without a value has null, and not an empty value"
		}
		return fmt.Sprintf("the body ends within the value (%d bytes)", b.Len)
	case faultSyntax:
		what = "a JSON value is expected, and this is " + found(b, f.at)
	case faultTrailing:
		what = "something follows the value: " + found(b, f.at)
	case faultName:
		what = "the name of a member is expected, in double quotes, and this is " + found(b, f.at)
	case faultColon:
		what = "a colon is expected after the name, and this is " + found(b, f.at)
	case faultComma:
		what = "a comma or the closing bracket is expected, and this is " + found(b, f.at)
	case faultNumber:
		what = "a number is expected, as JSON writes it, and this is " + found(b, f.at)
	case faultFraction:
		what = "the number is no whole number, and the column holds those only"
	case faultRange:
		what = "the number does not fit into " + f.field.more.dtype.String()
	case faultControl:
		what = "a string holds a control character, which JSON writes as an escape"
	case faultEscape:
		what = "a string holds an escape that JSON does not have"
	case faultSurrogate:
		what = "a string holds half of a surrogate pair, which is no character"
	case faultUTF8:
		what = "a string is not valid UTF-8"
	case faultBoolean:
		what = "true or false is expected, and this is " + found(b, f.at)
	case faultString:
		what = "a string is expected, and this is " + found(b, f.at) + f.field.more.hint
	case faultObject:
		what = "an object is expected, and this is " + found(b, f.at)
	case faultArray:
		what = "an array is expected, and this is " + found(b, f.at)
	case faultNullOnly:
		what = "null is expected, and this is " + found(b, f.at)
	case faultBranch:
		if what = "no branch of the union is " + found(b, f.at); at(b.Data, f.at) == '{' && len(f.field.more.objects) > 0 {
			what = "the object is none of the union's branches: each of these has members that it lacks, or texts that it has not"
		}
	case faultValue:
		what = f.field.more.takes.String() + " is expected, and this is " + found(b, f.at)
	case faultNull:
		what = "the value is null, and the schema says that it never is"
	case faultMissing:
		what = "the member is missing, and the schema says that it never is"
	case faultUnknown:
		what = `the schema does not name the member (unknown_members="count" passes such members over, "keep" keeps them)`
	case faultSymbol:
		what = "the string is none of the schema's symbols"
	case faultBase64:
		what = "the string is not base64"
	case faultDecimal:
		what = "a number is expected, or a string that holds one, and this is " + found(b, f.at)
	case faultPrecision:
		what = "the number has more digits than " + f.field.more.dtype.String() + nullsInstead
	case faultScale:
		what = "the number has more digits after its point than " + f.field.more.dtype.String() + nullsInstead
	case faultDateTime:
		what = "the string is no date and time, such as 2023-11-14T22:13:20Z"
	case faultZone:
		what = "the date and time has an offset from UTC, and the column has no time zone"
	case faultNoZone:
		what = "the date and time lacks its offset from UTC, such as Z or +01:00"
	case faultTimestamp:
		what = "the date and time lies outside of 1677 to 2262, which is what nanoseconds reach" + nullsInstead
	case faultDate:
		what = "the string is no date, such as 2023-11-14"
	case faultTime:
		what = `the string is no time of day, such as 22:13:20 or 22:13:20Z; one with another offset, or of a leap second, has no value in the column (formats="string" reads those of JSON Schema as texts)`
	case faultTimeRange:
		what = "the time of day is outside of 24 hours" + nullsInstead
	case faultEntry:
		what = "an entry of a map has a key and a value"
	case faultDepth:
		what = fmt.Sprintf("the value nests deeper than %d levels", a.limits.ValueDepth)
	default:
		what = "the body does not fit its schema"
	}
	return fmt.Sprintf("%s, at byte %d", what, f.at)
}
