package terminal

import (
	"io"
	"slices"
	"strings"

	"syncd/internal/printable"
)

// Table is a table with titles above its columns. The cells of the last column are explanations of
// any length. Total is the last line, or nil for none.
type Table struct {
	Columns []Column
	Rows    [][]string
	Total   []string
}

// Column is the title of a column and the layout of its cells. Right aligns the cells to the right.
// If the table is too wide, columns with Spared above 0 are left out, those with the highest Spared
// first.
type Column struct {
	Title  string
	Right  bool
	Spared int
}

const (
	// columnGap is the number of spaces between columns.
	columnGap = 2
	// minName is the minimum width of the first column, and minText that of the last column. If the
	// columns that cannot be left out still do not fit, the first column is cut further, to
	// minRest, because the other columns are more important.
	minName, minText, minRest = 12, 20, 3
	// Columns whose Spared is at least saysLittle are left out before the first column is cut.
	saysLittle = 4
)

// Print writes the table with at most width columns of text; 0 means unlimited.
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
				cell = cutEnd(cell, widths[i])
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
			line = cutEnd(line, width)
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

// fit returns the indexes of the columns to show, and the widths of these columns. To make room it
// first leaves out columns whose Spared is at least saysLittle. Then it cuts the first column, and
// then it leaves out the other optional columns.
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
	least[last] = min(natural[last], minText)
	shown = t.without(saysLittle, shown, least, width)
	least[0] = min(natural[0], minName)
	shown = t.without(1, shown, least, width)
	least[0] = max(min(least[0], minRest), least[0]-max(0, totalWidth(shown, least)-width))
	for _, i := range []int{0, last} {
		least[i] += max(0, min(natural[i]-least[i], width-totalWidth(shown, least)))
	}
	for _, i := range shown {
		widths = append(widths, least[i])
	}
	return shown, widths
}

// without leaves out columns whose Spared is at least spared, those with the highest Spared first,
// until the table fits into width.
func (t Table) without(spared int, shown, widths []int, width int) []int {
	more := func(a, b int) int { return t.Columns[a].Spared - t.Columns[b].Spared }
	for totalWidth(shown, widths) > width {
		most := slices.MaxFunc(shown, more)
		if t.Columns[most].Spared < spared {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == most })
	}
	return shown
}

// totalWidth returns the total width of columns including the gaps.
func totalWidth(shown, widths []int) int {
	sum := columnGap * (len(shown) - 1)
	for _, i := range shown {
		sum += widths[i]
	}
	return sum
}

// Shortened returns text, cut to width characters if it is longer. It replaces the middle with "…",
// because names often differ only at their ends.
func Shortened(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width || width < 1 {
		return text
	}
	begin := width / 2
	return string(runes[:begin]) + "…" + string(runes[len(runes)-(width-1-begin):])
}

// cutEnd returns text, cut to width characters if it is longer. It replaces the end with "…".
func cutEnd(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width || width < 1 {
		return text
	}
	return string(runes[:width-1]) + "…"
}

// WorstFirst sorts rows by the order of their states. The sort is stable.
func WorstFirst[R any](rows []R, order []string, state func(R) string) {
	slices.SortStableFunc(rows, func(a, b R) int { return slices.Index(order, state(a)) - slices.Index(order, state(b)) })
}
