package avro

import "github.com/pykafarr/pykafarr/kafarr/format"

// Names of package format, for callers that are still to be changed to it.
type (
	Body       = format.Body
	Columns    = format.Columns
	Limits     = format.Limits
	Options    = format.Options
	Unions     = format.Unions
	Recursion  = format.Recursion
	OutOfRange = format.OutOfRange
	Opener     = format.Opener
	Keys       = format.Keys
	KeyError   = format.KeyError
)

// See package format.
const (
	StructUnions   = format.StructUnions
	DenseUnions    = format.DenseUnions
	JSON           = format.JSON
	NullOutOfRange = format.NullOutOfRange
)

// See package format.
var (
	ErrFull = format.ErrFull
	ErrLong = format.ErrLong
)
