package json

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/hostile"
)

func address(text string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(text)) }

// numberTexts are n texts of numbers of many forms: short ones, long ones, whole ones, those that lie close to the middle between two doubles. PYKAFARR_NUMBERS are how many.
func numberTexts(visit func(text string)) {
	n, _ := strconv.Atoi(os.Getenv("PYKAFARR_NUMBERS"))
	r := rand.New(rand.NewPCG(3, 4))
	digit := func(k int) string {
		var b strings.Builder
		b.WriteByte(byte('1' + r.IntN(9)))
		for range k - 1 {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}
	for i := range max(n, hostile.Rounds(100_000)) {
		sign := []string{"", "-"}[r.IntN(2)]
		bits := r.Uint64()
		f := math.Abs(math.Float64frombits(bits))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = 1
		}
		switch i % 8 {
		case 0:
			visit(sign + strconv.FormatFloat(f, 'e', -1, 64))
		case 1:
			visit(sign + digit(1+r.IntN(25)))
		case 2:
			visit(sign + digit(1+r.IntN(10)) + "." + digit(1+r.IntN(20)))
		case 3:
			visit(sign + "0." + strings.Repeat("0", r.IntN(12)) + digit(1+r.IntN(18)))
		case 4:
			visit(sign + digit(1+r.IntN(20)) + []string{"e", "E", "e+", "e-", "E-"}[r.IntN(5)] + strconv.Itoa(r.IntN(340)))
		case 5: // the middle between two doubles, and beside it
			middle := new(big.Float).SetPrec(2000).SetFloat64(f)
			middle.Add(middle, new(big.Float).SetFloat64(math.Nextafter(f, math.Inf(1))))
			middle.Quo(middle, big.NewFloat(2))
			visit(sign + middle.Text('e', 15+r.IntN(30)))
		case 6:
			visit(sign + strconv.FormatFloat(r.Float64()*1000, 'f', 1+r.IntN(17), 64))
		case 7:
			visit(sign + strconv.FormatUint(bits>>r.IntN(64), 10))
		}
	}
	for _, text := range []string{"0", "-0", "0.0", "-0e0", "0e999999999999", "1e-999999999999", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "1.7976931348623157e308",
		"1.7976931348623159e308", "9007199254740993", "9007199254740993.0000000000000000000001", "1e23", "8.5e22", "1e0000000001", "0.000000000000000000000000000001", "123456789012345678901234567890"} {
		visit(text)
	}
}

// TestNumbersAreRoundedAsStrconvRoundsThem has what follows a number in JSON directly after it, or nothing.
func TestNumbersAreRoundedAsStrconvRoundsThem(t *testing.T) {
	makeWidePowers()
	bad := 0
	numberTexts(func(text string) {
		want, err := strconv.ParseFloat(text, 64)
		want32, err32 := strconv.ParseFloat(text, 32)
		for _, after := range []string{"", `,"x":12345678901234567890`} {
			got, next := double(address(text+after), 0, len(text+after))
			if err != nil {
				if next != faultRange.position() {
					t.Errorf("%s: %v, %d", text, got, next)
					bad++
				}
			} else if next != len(text) || math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("%s: %v and not %v, %d", text, got, want, next)
				bad++
			}
			single, next := float(address(text+after), 0, len(text+after))
			if err32 != nil {
				if next != faultRange.position() {
					t.Errorf("%s: %v, %d", text, single, next)
					bad++
				}
			} else if next != len(text) || math.Float32bits(single) != math.Float32bits(float32(want32)) {
				t.Errorf("%s: %v and not %v, %d", text, single, want32, next)
				bad++
			}
		}
		if bad > 10 {
			t.FailNow()
		}
	})
}

// TestWholeNumbersAreExact compares with big numbers.
func TestWholeNumbersAreExact(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 64)
	bad := 0
	numberTexts(func(text string) {
		exponent := 0
		if i := strings.IndexAny(text, "eE"); i >= 0 {
			exponent, _ = strconv.Atoi(text[i+1:])
		}
		if exponent > 400 || exponent < -400 {
			return // too long to be written out
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		got, negative, next := integer(address(text), 0, len(text))
		magnitude := new(big.Int).Abs(exact.Num())
		var good bool
		switch {
		case !exact.IsInt():
			good = next == faultFraction.position()
		case magnitude.Cmp(limit) >= 0:
			good = next == faultRange.position()
		default:
			good = next == len(text) && magnitude.Uint64() == got && (got == 0 || negative == (exact.Sign() < 0))
		}
		if !good {
			if t.Errorf("%s: %d %t %d", text, got, negative, next); bad > 10 {
				t.FailNow()
			}
			bad++
		}
	})
}

// TestDecimalsHaveAllDigits compares with big numbers.
func TestDecimalsHaveAllDigits(t *testing.T) {
	bad := 0
	numberTexts(func(text string) {
		s, next := scan(address(text), 0, len(text))
		if next != len(text) {
			t.Fatalf("%s: %d", text, next)
		}
		if s.exponent > 400 || s.exponent < -400 {
			return // too long to be written out
		}
		const precision, scale = 76, 20
		exact, _ := new(big.Rat).SetString(text)
		unscaled := exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil)))
		words, f := s.unscaled(precision, scale)
		var good bool
		switch {
		case !unscaled.IsInt():
			good = f == faultScale
		case len(new(big.Int).Abs(unscaled.Num()).String()) > precision:
			good = f == faultPrecision
		default:
			want := unscaled.Num()
			if want.Sign() < 0 {
				want = new(big.Int).Add(want, new(big.Int).Lsh(big.NewInt(1), 256))
			}
			got := new(big.Int)
			for i := 3; i >= 0; i-- {
				got.Or(got.Lsh(got, 64), new(big.Int).SetUint64(words[i]))
			}
			good = f == ok && got.Cmp(want) == 0
		}
		if short, next, fits := shortDecimal(address(text), 0, len(text), precision, scale); fits && (next != len(text) || f != ok || short != words) {
			good = false
		}
		if !good {
			if t.Errorf("%s: %v, %d", text, words, f); bad > 10 {
				t.FailNow()
			}
			bad++
		}
	})
}

func TestWhatIsNoNumberOfJSONIsNone(t *testing.T) {
	makeWidePowers()
	for _, text := range []string{"", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "01", "-01", "00", "NaN", "Infinity", "--1", "1.-1", "00000000000000000000", "0123456789012345678901234567890"} {
		if _, next := double(address(text+" "), 0, len(text)); next >= 0 {
			t.Errorf("double: %s", text)
		}
		if _, _, next := integer(address(text+" "), 0, len(text)); next >= 0 {
			t.Errorf("integer: %s", text)
		}
		if _, next := scan(address(text+" "), 0, len(text)); next >= 0 {
			t.Errorf("scan: %s", text)
		}
	}
}
