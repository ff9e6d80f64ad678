package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// client is a program to measure.
type client struct {
	name string
	// command returns the command line and the environment of a run. It writes what the run needs to dir,
	// which is also the home directory.
	command func(dir, endpoint string, w workload) (args, env []string, err error)
}

// environment has the credentials of every client.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_REGION=" + region,
		"AWS_EC2_METADATA_DISABLED=true", "GOMAXPROCS=1",
	}
}

// clients returns the clients, in the order of the table. A client without a program is left out.
func clients(paths map[string]string) ([]client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	own := func(name string) client {
		return client{name, func(dir, endpoint string, w workload) (args, env []string, err error) {
			args = []string{self, name, "--endpoint", endpoint, "--in-flight", fmt.Sprint(w.inFlight)}
			if w.isUnchanged {
				args = append(args, "--list")
			}
			return args, append(environment(), "HOME="+dir), nil
		}}
	}
	all := []client{own("floor"), own("sdk")}
	for _, peer := range []client{{"syncd", syncd}, {"syncd-before", syncd}, {"rclone", rclone}, {"aws", awsCLI}, {"s5cmd", s5cmd}, {"mc", mc}} {
		path := paths[peer.name]
		if path == "" {
			continue
		}
		command := peer.command
		all = append(all, client{peer.name, func(dir, endpoint string, w workload) (args, env []string, err error) {
			args, env, err = command(dir, endpoint, w)
			return append([]string{path}, args...), append(environment(), append(env, "HOME="+dir)...), err
		}})
	}
	return all, nil
}

func syncd(dir, endpoint string, w workload) (args, env []string, err error) {
	text := fmt.Sprintf(`state: "file:%s"
aws: {endpoint_url: "%s", path_style: true, allow_http: true}
mappings:
  - name: bench
    source: {bucket: %s, region: %s}
    destination: {bucket: %s, region: %s, kms_key: "%s", bucket_key: false}
    copy: {concurrency: %d}
    filter: {max_size: 5MiB}
`, filepath.Join(dir, "state"), endpoint, from, region, to, region, keyARN, w.inFlight)
	path := filepath.Join(dir, "syncd.yaml")
	return []string{"backfill", "--config", path, "--json"}, nil, os.WriteFile(path, []byte(text), 0o600)
}

func rclone(_, endpoint string, w workload) (args, env []string, err error) {
	args = []string{"copy", "bench:" + from, "bench:" + to, "--transfers", fmt.Sprint(w.inFlight), "--checkers", fmt.Sprint(w.inFlight), "--quiet", "--s3-no-check-bucket", "--fast-list"}
	if w.isUnchanged {
		args = append(args, "--size-only")
	}
	return args, []string{
		"RCLONE_CONFIG_BENCH_TYPE=s3", "RCLONE_CONFIG_BENCH_PROVIDER=Other", "RCLONE_CONFIG_BENCH_ENDPOINT=" + endpoint, "RCLONE_CONFIG_BENCH_ENV_AUTH=true",
		"RCLONE_CONFIG_BENCH_REGION=" + region, "RCLONE_CONFIG_BENCH_LIST_VERSION=2", "RCLONE_CONFIG_BENCH_SERVER_SIDE_ENCRYPTION=aws:kms", "RCLONE_CONFIG_BENCH_SSE_KMS_KEY_ID=" + keyARN,
	}, nil
}

func awsCLI(dir, endpoint string, w workload) (args, env []string, err error) {
	path := filepath.Join(dir, "aws.cfg")
	text := fmt.Sprintf("[default]\ns3 =\n  max_concurrent_requests = %d\n", w.inFlight)
	return []string{"--endpoint-url", endpoint, "s3", "sync", "s3://" + from, "s3://" + to, "--quiet", "--sse", "aws:kms", "--sse-kms-key-id", keyARN},
		[]string{"AWS_CONFIG_FILE=" + path}, os.WriteFile(path, []byte(text), 0o600)
}

func s5cmd(_, endpoint string, w workload) (args, env []string, err error) {
	return []string{
		"--endpoint-url", endpoint, "--numworkers", fmt.Sprint(w.inFlight), "--log", "error", "sync", "--sse", "aws:kms", "--sse-kms-key-id", keyARN, "--size-only",
		"s3://" + from + "/*", "s3://" + to + "/",
	}, nil, nil
}

func mc(_, endpoint string, w workload) (args, env []string, err error) {
	host := strings.Replace(endpoint, "http://", "http://"+accessKey+":"+strings.ReplaceAll(secretKey, "/", "%2F")+"@", 1)
	return []string{"mirror", "--quiet", "--max-workers", fmt.Sprint(w.inFlight), "bench/" + from, "bench/" + to}, []string{"MC_HOST_bench=" + host}, nil
}
