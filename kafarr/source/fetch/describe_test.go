package fetch

import (
	"context"
	"testing"
)

func TestTopicsAreDescribedByTheirIDsAndUnknownOnesAsSuch(t *testing.T) {
	f := newFake(t, 1)
	log := f.topic("t")
	log.id = [16]byte{9}
	found, err := dial(t, f, impatient()).Describe(context.Background(), []string{"t", "u"})
	if err != nil || found["t"] != (Description{ID: log.id}) || !found["u"].Unknown || found["u"].Err == nil {
		t.Errorf("%v, %v", found, err)
	}
}
