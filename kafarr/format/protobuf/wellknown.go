package protobuf

import "strings"

// wellKnown says which messages have an Arrow type of their own.
type wellKnown uint8

const (
	plain wellKnown = iota
	wellTimestamp
	wellDuration
	wellDate
	wellTimeOfDay
	wellDecimal
	wellWrapper
	wellStruct // these three hold one another: they are JSON
	wellValue
	wellList
)

// wellKnownOf recognizes a message by its name and by the fields that are read. Another message of such a name is a plain one.
func wellKnownOf(m *message) wellKnown {
	has := func(number int32, kinds ...kind) bool {
		f := m.field(number)
		if f == nil || f.repeated {
			return false
		}
		for _, k := range kinds {
			if f.kind == k {
				return true
			}
		}
		return false
	}
	numbers := func(count int32) bool {
		for n := int32(1); n <= count; n++ {
			if !has(n, kindInt32) {
				return false
			}
		}
		return true
	}
	switch m.name {
	case "google.protobuf.Timestamp":
		if has(1, kindInt64) && has(2, kindInt32) {
			return wellTimestamp
		}
	case "google.protobuf.Duration":
		if has(1, kindInt64) && has(2, kindInt32) {
			return wellDuration
		}
	case "google.type.Date":
		if numbers(3) {
			return wellDate
		}
	case "google.type.TimeOfDay":
		if numbers(4) {
			return wellTimeOfDay
		}
	case "confluent.type.Decimal":
		if has(1, kindBytes) && has(3, kindInt32) {
			return wellDecimal
		}
	case "google.protobuf.Struct":
		return wellStruct
	case "google.protobuf.Value":
		return wellValue
	case "google.protobuf.ListValue":
		return wellList
	}
	if name, in := strings.CutPrefix(m.name, "google.protobuf."); in && strings.HasSuffix(name, "Value") && len(m.fields) == 1 &&
		has(1, kindDouble, kindFloat, kindInt64, kindUint64, kindInt32, kindUint32, kindBool, kindString, kindBytes) {
		return wellWrapper
	}
	return plain
}
