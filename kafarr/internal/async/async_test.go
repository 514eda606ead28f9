package async_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
)

func TestAPanicOfAGoroutineIsAnError(t *testing.T) {
	failed := make(chan error, 1)
	async.Go(func() { panic("it broke") }, func(err error) { failed <- err })
	if err := <-failed; !strings.Contains(err.Error(), "panic: it broke") {
		t.Error(err)
	}
}

// TestATaskRunsInItsTurnsOnly is for the race detector, too: what the task writes is read between its turns.
func TestATaskRunsInItsTurnsOnly(t *testing.T) {
	steps := 0
	task := async.InTurns(func(proceed func() bool) {
		for ; steps < 5; steps++ {
			time.Sleep(2 * time.Millisecond)
			proceed()
		}
	})
	turns := 0
	for done := false; !done; turns++ {
		before := steps
		time.Sleep(5 * time.Millisecond)
		if steps != before {
			t.Error("it ran between its turns")
		}
		done = task.Turn(time.Now())
	}
	task.Join()
	if steps != 5 || turns < 2 {
		t.Errorf("%d steps in %d turns", steps, turns)
	}
}

func TestATaskThatIsGivenUpEnds(t *testing.T) {
	ended := false
	task := async.InTurns(func(proceed func() bool) {
		for proceed() {
			time.Sleep(time.Millisecond)
		}
		ended = true
	})
	if task.Turn(time.Now().Add(time.Millisecond)) {
		t.Fatal("it ended by itself")
	}
	task.GiveUp()
	if !ended {
		t.Error("it continues")
	}
}

func TestATasksPanicIsThatOfItsCaller(t *testing.T) {
	task := async.InTurns(func(func() bool) { panic("it broke") })
	for !task.Turn(time.Now().Add(time.Second)) {
	}
	defer func() {
		if p := recover(); p == nil {
			t.Error("nobody hears of it")
		}
	}()
	task.Join()
}
