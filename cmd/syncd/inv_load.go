package main

import (
	"fmt"
	"log/slog"
	"slices"

	"syncd/config"
	"syncd/internal/exit"
)

// load reads the configuration that the flags name, with the mappings named or all of them.
func load(p process, f flags, checks ...config.Check) (c *config.Config, chosen []config.Mapping, logger *slog.Logger, err error) {
	if c, err = f.load(checks...); err == nil {
		chosen, err = choose(c, f.mappings)
	}
	if err == nil {
		logger, err = newLogger(p, c.Log, f.logLevel)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return c, chosen, logger, nil
}

// choose returns the mappings of these names, all for none.
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
			return nil, exit.WithHint(exit.Usage(fmt.Errorf("find mapping %q: the configuration has none of that name", name)), oneOf(name, known))
		}
		if !slices.ContainsFunc(chosen, func(c config.Mapping) bool { return c.Name == name }) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

// chosen reports whether a value is among those asked for, of which none means all.
func chosen(asked []string, value string) bool {
	return len(asked) == 0 || slices.Contains(asked, value)
}
