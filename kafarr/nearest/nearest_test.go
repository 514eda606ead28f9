package nearest_test

import (
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

func TestTheNameThatWasMeantIsFound(t *testing.T) {
	known := []string{"PRICES", "shop.Order", "shop.OrderLine", "com.example.trading.Trade", "customer"}
	for name, want := range map[string]string{
		"prices":      "PRICES",
		"PRICE":       "PRICES",
		"Order":       "shop.Order",
		"order":       "shop.Order",
		"sale.Order":  "shop.Order",
		"shop.Ordre":  "shop.Order",
		"Trade":       "com.example.trading.Trade",
		"costumer":    "customer",
		"x":           "",
		"":            "",
		"temperature": "",
	} {
		if want != "" {
			want = ". Did you mean " + want + "?"
		}
		if got := nearest.Qualified(name, known); got != want {
			t.Errorf("for %q: %q, not %q", name, got, want)
		}
	}
}

func TestAPropertyIsNotTakenForOneThatEndsAlike(t *testing.T) {
	known := []string{"retry.backoff.ms", "auto.offset.reset", "url"}
	for name, want := range map[string]string{
		"auto.ofset.reset":  "auto.offset.reset",
		"auto_offset_reset": "auto.offset.reset",
		"Retry.BackOff.MS":  "retry.backoff.ms",
		"poll.ms":           "",
		"schema.url":        "",
	} {
		if got := nearest.Name(name, known); got != want {
			t.Errorf("for %q: %q, not %q", name, got, want)
		}
	}
	if got := nearest.Name("a", nil); got != "" {
		t.Errorf("of no names: %q", got)
	}
}

func TestAHintIsASentenceOrNothing(t *testing.T) {
	if got := nearest.Hint("prices", []string{"PRICES"}); got != ". Did you mean PRICES?" {
		t.Error(got)
	}
	if got := nearest.Hint("x", []string{"PRICES"}); got != "" {
		t.Error(got)
	}
}
