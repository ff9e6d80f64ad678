package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/printable"
)

// policyFlags are those of `syncd policy`.
type policyFlags struct {
	options     access.Options
	side, style string
	format      string
	folder      string
}

func newPolicy(p process) *cobra.Command {
	var f flags
	var of policyFlags
	cmd := &cobra.Command{
		Use:   "policy --config FILE [--mapping NAME]...",
		Short: "Write every policy that the accounts need, least privilege",
		Long: `policy writes the documents that both accounts have to put in force for the mappings: the permissions and the trust of
every role, the bucket and key policies, and the lifecycle rules. It grants what the configuration needs and nothing more;
docs/permissions.md says which request needs what. It asks nothing of AWS.

The documents go to standard output, what is to be known about them to standard error. --format json is one object with
all documents, or with -o a file for each, ready for the AWS CLI. terraform and cloudformation are one file for each
account; ExternalIds are variables in them. json has the ExternalIds themselves.

--style says how the owner names the consumer: role names the role, account the account, whose administrators then decide,
and abac only sessions with the session tags of the configuration.

` + exitCodes,
		Example: `  syncd policy --config syncd.yaml --side owner
  syncd policy --config syncd.yaml --style abac --org-id o-a1b2c3d4e5 --format terraform -o policies`,
		RunE: func(*cobra.Command, []string) error { return writePolicies(p, f, of) },
	}
	addFlags(cmd, &f)
	o := &of.options
	cmd.Flags().StringVar(&of.side, "side", "both", "whose documents: `owner`, consumer or both")
	cmd.Flags().StringVar(&of.style, "style", "role", "how the owner names the consumer: `role`, account or abac")
	cmd.Flags().StringVar(&of.format, "format", "json", "`json`, terraform or cloudformation")
	cmd.Flags().StringVar(&o.OrgID, "org-id", "", "let in principals of other accounts only from this `ORGANIZATION`")
	cmd.Flags().StringVar(&o.VPCEndpoint, "vpc-endpoint", "", "deny reading the sources any other way than through this `ENDPOINT`")
	cmd.Flags().StringVar(&o.Principal, "principal", "", "`ARN` of the role or user whose credentials syncd finds in its surroundings")
	cmd.Flags().StringArrayVar(&o.SourceKeys, "source-key", nil, "`ARN` of the key that a source is encrypted under; may be repeated")
	cmd.Flags().StringVarP(&of.folder, "output", "o", "", "write files into `DIR`")
	cmd.AddCommand(newPolicyCheck(p))
	return cmd
}

func writePolicies(p process, f flags, of policyFlags) error {
	c, err := loadConfig(f)
	if err != nil {
		return err
	}
	o := of.options
	o.Mapping, o.Side, o.Style = f.mappings, access.Side(of.side), access.Style(of.style)
	o.ExternalID = access.ExternalIDVariable
	if of.format == "json" {
		o.ExternalID = resolveExternalID(p, c)
	}
	documents, err := access.Policies(c, o)
	if err != nil {
		return &usageError{err}
	}
	if len(documents) == 0 {
		return &usageError{fmt.Errorf("write policies: no account is on the %s's side alone", of.side)}
	}
	files, err := render(documents, of)
	if err != nil {
		return err
	}
	printNotes(p.stderr, documents)
	if of.folder != "" {
		return writeFiles(p.stdout, of.folder, files)
	}
	_, err = printable.JSON(printable.Lines(p.stdout)).Write(files[0].Text)
	return err
}

// loadConfig reads the configuration and asks nothing else of it.
func loadConfig(f flags) (*config.Config, error) {
	c, err := config.Load(f.config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &hinted{&usageError{err}, "give the path of the configuration with --config"}
	}
	if err != nil {
		return nil, err
	}
	_, err = choose(c, f.mappings)
	return c, err
}

func resolveExternalID(p process, c *config.Config) func(role string) (string, error) {
	return func(role string) (string, error) {
		id, err := c.Roles[role].ExternalID.Resolve(p.lookupEnv, p.readFile)
		if err != nil {
			return "", fmt.Errorf("%w; or use --format terraform or cloudformation, which make it a variable", err)
		}
		return id.Reveal(), nil
	}
}

// render makes texts of the documents: exactly one where there is no folder for several.
func render(documents []access.Document, of policyFlags) ([]access.Rendered, error) {
	formats := map[string]func([]access.Document) ([]access.Rendered, error){
		"json": access.JSON, "terraform": access.Terraform, "cloudformation": access.CloudFormation,
	}
	format := formats[of.format]
	if format == nil {
		return nil, &usageError{fmt.Errorf("read format %q: use json, terraform or cloudformation", of.format)}
	}
	if of.format == "json" && of.folder == "" {
		text, err := access.JSONBundle(documents)
		return []access.Rendered{{Text: text}}, err
	}
	files, err := format(documents)
	if err == nil && of.folder == "" && len(files) != 1 {
		err = &usageError{fmt.Errorf("write policies: they are %d files, one for each account: add -o DIR, or choose a --side with one account", len(files))}
	}
	return files, err
}

// printNotes tells people what is to be known of each document.
func printNotes(w io.Writer, documents []access.Document) {
	for _, d := range documents {
		printable.Fprintf(w, "%s (account %s, %s)\n", d.Name, d.Account, d.Title)
		for _, note := range d.Notes {
			printable.Fprintf(w, "  note: %s\n", note)
		}
	}
}

// writeFiles writes the files and names them. They hold ExternalIds, which are not for everyone.
func writeFiles(w io.Writer, folder string, files []access.Rendered) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make folder for policies: %w", err)
	}
	var names []string
	for _, f := range files {
		path := filepath.Join(folder, f.Name)
		if err := os.WriteFile(path, f.Text, 0o600); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
		names = append(names, strings.TrimPrefix(path, "./"))
	}
	for _, name := range names {
		if _, err := printable.Fprintln(w, name); err != nil {
			return err
		}
	}
	return nil
}
