package value

import (
	"cmp"
	"strconv"

	"syncd/internal/hint"
)

// AutoInt is a positive whole number, or auto, stored as 0.
type AutoInt int

// String returns auto or the number.
func (a AutoInt) String() string {
	if a == 0 {
		return "auto"
	}
	return strconv.Itoa(int(a))
}

// MarshalText writes what String writes.
func (a AutoInt) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads auto or a number above zero.
func (a *AutoInt) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*a = 0
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n <= 0 {
		return hint.New(strconv.Quote(string(text))+" is not a number above zero", cmp.Or(hint.DidYouMean(string(text), []string{"auto"}), "use auto or a number"))
	}
	*a = AutoInt(n)
	return nil
}

// AutoSize is a positive Size, or auto, stored as 0.
type AutoSize Size

// String returns auto or the size.
func (a AutoSize) String() string {
	if a == 0 {
		return "auto"
	}
	return Size(a).String()
}

// MarshalText writes what String writes.
func (a AutoSize) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads auto or a size above zero.
func (a *AutoSize) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*a = 0
		return nil
	}
	n, err := ParseSize(string(text))
	if err != nil || n == 0 {
		return hint.New(strconv.Quote(string(text))+" is not a size above zero", cmp.Or(hint.DidYouMean(string(text), []string{"auto"}), "use auto, or a size as in 64MiB"))
	}
	*a = AutoSize(n)
	return nil
}
