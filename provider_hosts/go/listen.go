package provider

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"google.golang.org/grpc/credentials"
)

// listen takes "unix:/path" or "host:port". A socket is for its own user alone.
func listen(address string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(address, "unix:")
	if !isUnix {
		return net.Listen("tcp", address)
	}
	path = strings.TrimPrefix(path, "//")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	return net.Listen("unix", path)
}

// mutualTLS reads the files that the environment names: our certificate and key, and the certificate of the only one that
// may call. Nil when it names none.
func mutualTLS(getenv func(string) string) (credentials.TransportCredentials, error) {
	var files [3][]byte
	given := false
	for i, name := range []string{"MEDIACONDUIT_TLS_CERTIFICATE", "MEDIACONDUIT_TLS_KEY", "MEDIACONDUIT_TLS_PEER"} {
		path := getenv(name)
		if path == "" {
			continue
		}
		given = true
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[i] = content
	}
	if !given {
		return nil, nil
	}
	own, err := tls.X509KeyPair(files[0], files[1])
	if err != nil {
		return nil, fmt.Errorf("MEDIACONDUIT_TLS_CERTIFICATE and _KEY: %w", err)
	}
	peer, _ := pem.Decode(files[2])
	if peer == nil {
		return nil, errors.New("MEDIACONDUIT_TLS_PEER names no certificate")
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{own},
		// Whoever signed for it: what counts is that it is the very one.
		ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, peer.Bytes) {
				return errors.New("another certificate than the one that was named")
			}
			return nil
		},
	}), nil
}
