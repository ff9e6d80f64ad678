package ranges

import "strings"

// year is the first group of digits of a date. The month is the second, and so on; 0 is no date.
const year = 1

// calendar returns the greatest digit that is likely at a position of a key, and in which group of
// digits of a date or a time the position is. A date begins with a year of the last or this century.
// The month, the day, the hour, the minute and the second follow in two digits each, with or without
// other characters between them.
func calendar(key string, position int) (group int, most rune) {
	for at := 0; at <= position && at < len(key); {
		length := digitsAt(key, at)
		if length == 0 {
			at++
			continue
		}
		for end := at + length; at < end; {
			size := 2
			switch {
			case isYear(key[at:end]) && (length == 4 || length >= 8):
				group, size = year, 4
			case group > 0 && length%2 == 0 && (length == 2 || length >= 8):
				group++
			default:
				group, size = 0, end-at
			}
			if position < at+size {
				return group, greatest(group, key[at:position])
			}
			at += size
		}
	}
	return 0, '9'
}

// isYear reports whether digits begin with a year.
func isYear(run string) bool {
	return len(run) >= 4 && (strings.HasPrefix(run, "19") || strings.HasPrefix(run, "20"))
}

// digitsAt returns how many digits there are from a position of a key on.
func digitsAt(key string, at int) (n int) {
	for isDigit(key, at+n) {
		n++
	}
	return n
}

// greatest returns the greatest digit that is likely after the first digits of a group.
func greatest(group int, before string) rune {
	limits := map[int]map[string]rune{
		year: {"": '2', "1": '9', "2": '0', "19": '9', "20": '2'},
		2:    {"": '1', "1": '2'},
		3:    {"": '3', "3": '1'},
		4:    {"": '2', "2": '3'},
		5:    {"": '5'},
		6:    {"": '5'},
	}
	if most, ok := limits[group][before]; ok {
		return most
	}
	return '9'
}
