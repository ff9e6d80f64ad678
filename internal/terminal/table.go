package terminal

import (
	"io"
	"slices"
	"strings"

	"syncd/internal/printable"
)

// Table is rows of cells beneath titles, for people. The last column explains: it may be of any
// length.
type Table struct {
	Columns []Column
	Rows    [][]string
	Total   []string
}

// Column is a title, and how the cells beneath it stand. Where there is not enough room, columns
// that can be spared are left out, those with the highest number first; 0 can not be spared.
type Column struct {
	Title  string
	Right  bool
	Spared int
}

const (
	// columnGap is what is between columns.
	columnGap = 2
	// leastName is how short the first column may be cut, and leastText how short the last one.
	// Where columns that cannot be spared leave less room than that the first one is cut further,
	// to leastRest: the others say what matters.
	leastName, leastText, leastRest = 12, 20, 3
	// saysLittle is from which number on a column is left out before the first one is cut.
	saysLittle = 4
)

// Print writes the table into so many columns, 0 for as many as it takes.
func (t Table) Print(w io.Writer, width int) {
	lines := slices.Concat([][]string{t.titles()}, t.Rows)
	if t.Total != nil {
		lines = append(lines, t.Total)
	}
	shown, widths := t.fit(lines, width)
	for _, cells := range lines {
		var b strings.Builder
		for i, column := range shown {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", columnGap))
			}
			cell := printable.Line(cells[column])
			if column == len(t.Columns)-1 {
				cell = begun(cell, widths[i])
			} else {
				cell = Shortened(cell, widths[i])
			}
			pad := strings.Repeat(" ", max(0, widths[i]-len([]rune(cell))))
			if t.Columns[column].Right {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		line := strings.TrimRight(b.String(), " ")
		if width > 0 {
			line = begun(line, width)
		}
		printable.Fprintln(w, line)
	}
}

func (t Table) titles() (titles []string) {
	for _, c := range t.Columns {
		titles = append(titles, c.Title)
	}
	return titles
}

// fit returns the columns that are shown and how wide each is. First columns that say little are
// left out, then the first column is cut, and then others are left out.
func (t Table) fit(lines [][]string, width int) (shown, widths []int) {
	natural, last := make([]int, len(t.Columns)), len(t.Columns)-1
	for i := range t.Columns {
		for _, cells := range lines {
			natural[i] = max(natural[i], len([]rune(printable.Line(cells[i]))))
		}
		shown = append(shown, i)
	}
	if width == 0 {
		return shown, natural
	}
	least := slices.Clone(natural)
	least[last] = min(natural[last], leastText)
	shown = t.without(saysLittle, shown, least, width)
	least[0] = min(natural[0], leastName)
	shown = t.without(1, shown, least, width)
	least[0] = max(min(least[0], leastRest), least[0]-max(0, wide(shown, least)-width))
	for _, i := range []int{0, last} {
		least[i] += max(0, min(natural[i]-least[i], width-wide(shown, least)))
	}
	for _, i := range shown {
		widths = append(widths, least[i])
	}
	return shown, widths
}

// without leaves out columns that are spared that much or more, as many as it takes.
func (t Table) without(spared int, shown, widths []int, width int) []int {
	more := func(a, b int) int { return t.Columns[a].Spared - t.Columns[b].Spared }
	for wide(shown, widths) > width {
		most := slices.MaxFunc(shown, more)
		if t.Columns[most].Spared < spared {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == most })
	}
	return shown
}

// wide is how wide columns are with what is between them.
func wide(shown, widths []int) int {
	sum := columnGap * (len(shown) - 1)
	for _, i := range shown {
		sum += widths[i]
	}
	return sum
}

// Shortened cuts the middle out of a text that is longer than width: names often differ only at
// their ends.
func Shortened(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width || width < 1 {
		return text
	}
	begin := width / 2
	return string(runes[:begin]) + "…" + string(runes[len(runes)-(width-1-begin):])
}

// begun cuts the end off a text that is longer than width.
func begun(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width || width < 1 {
		return text
	}
	return string(runes[:width-1]) + "…"
}

// WorstFirst sorts what has states by an order of them; what has the same state stays in its order.
func WorstFirst[R any](rows []R, order []string, state func(R) string) {
	slices.SortStableFunc(rows, func(a, b R) int { return slices.Index(order, state(a)) - slices.Index(order, state(b)) })
}
