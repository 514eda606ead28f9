package decode

import (
	"math/rand/v2"
	"testing"

	"github.com/pykafarr/pykafarr/bench/messages"
	"github.com/pykafarr/pykafarr/kafarr/format/protobuf"
)

// besideAvroProtobuf reads the first message of a file in turns with the flat record in Avro.
func besideAvroProtobuf(b *testing.B, text string, message func([]byte, *rand.Rand) []byte) {
	const rows = 50_000
	inTurns(b, newContestant(b, protobuf.Format{}, text, messages.ProtobufBodies(rows, message)))
}

func BenchmarkProtobufFlat(b *testing.B) {
	besideAvroProtobuf(b, messages.FlatProto, messages.FlatMessage)
}

func BenchmarkProtobufWide(b *testing.B) {
	besideAvroProtobuf(b, messages.WideProto, messages.WideMessage)
}
