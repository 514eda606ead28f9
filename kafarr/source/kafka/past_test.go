package kafka

import (
	"errors"
	"slices"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestOnlyATimeMayBeAfterTheLastRecord(t *testing.T) {
	place := func(partition int32, offset int64) source.Position {
		return source.Position{Topic: "t", Partition: partition, Offset: offset}
	}
	asked := []source.Position{place(0, 77), place(1, source.Beginning), place(2, source.End)}
	ends, err := pastTheLog(asked, []source.Position{place(0, -1), place(1, 3), place(2, 9)})
	if err != nil || !slices.Equal(ends, []source.Position{place(0, source.End)}) {
		t.Errorf("%v, %v", ends, err)
	}
	for without := range asked[1:] {
		found := []source.Position{place(0, 5), place(1, 3), place(2, 9)}
		found[1+without].Offset = -1
		var e *source.Error
		if ends, err := pastTheLog(asked, found); !errors.As(err, &e) || e.Topic != "t" || e.Partition != int32(1+without) {
			t.Errorf("%v, %v", ends, err)
		}
	}
}
