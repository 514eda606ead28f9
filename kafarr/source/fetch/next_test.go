package fetch

import (
	"context"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestTheNextRecordIsFoundPastMarkersAbortedRowsAndGaps(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.add(batchOf{records: []rec{{value: []byte("a")}, {delta: 1, value: []byte("b")}}}.bytes())                                             // 0, 1
	log.add(batchOf{producer: 2, attributes: transactional, records: []rec{{value: []byte("never")}, {delta: 1, value: []byte("x")}}}.bytes()) // 2, 3
	log.add(marked(2, 0).bytes())                                                                                                              // 4
	log.add(batchOf{records: []rec{{value: []byte("c")}}, lastDelta: 3}.bytes())                                                               // 5, and 6 to 8 are gone
	log.aborted = []abortedUpTo{{aborted{first: 2, producer: 2}, 4}}
	c := dial(t, f, impatient())
	for from, want := range []int64{0, 1, 5, 5, 5, 5, 9, 9, 9, 9} {
		next, err := c.Next(context.Background(), source.Position{Topic: "t", Offset: int64(from)})
		if err != nil || next != want {
			t.Errorf("from %d: %d, want %d, %v", from, next, want, err)
		}
	}
}
