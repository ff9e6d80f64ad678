package invocation

import (
	"fmt"
	"log/slog"
	"slices"

	"syncd/config"
	"syncd/internal/exit"
	"syncd/internal/usage"
)

// Load reads the configuration that the flags name. chosen contains the mappings that the flags
// name, or all mappings if they name none.
func Load(p Process, f Flags, checks ...config.Check) (c *config.Config, chosen []config.Mapping, logger *slog.Logger, err error) {
	if c, err = f.load(checks...); err == nil {
		chosen, err = choose(c, f.Mappings)
	}
	if err == nil {
		logger, err = newLogger(p, c.Log, f.LogLevel)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return c, chosen, logger, nil
}

// choose returns the mappings with the given names, or all mappings if there are no names.
func choose(c *config.Config, names []string) ([]config.Mapping, error) {
	if len(names) == 0 {
		return c.Mappings, nil
	}
	var chosen []config.Mapping
	for _, name := range names {
		m, ok := c.Mapping(name)
		if !ok {
			known := make([]string, len(c.Mappings))
			for i, m := range c.Mappings {
				known[i] = m.Name
			}
			return nil, exit.WithHint(exit.Usage(fmt.Errorf("find mapping %q: the configuration has no mapping with that name", name)), usage.OneOf(name, known))
		}
		if !slices.ContainsFunc(chosen, func(c config.Mapping) bool { return c.Name == name }) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

// Chosen reports whether asked contains value or is empty.
func Chosen(asked []string, value string) bool {
	return len(asked) == 0 || slices.Contains(asked, value)
}
