package natsbus

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"
)

// MinSecret is how many characters a secret needs. Whoever can connect to a node can try secrets as fast as their
// machines can, so it must not be a word that a person thinks of.
const MinSecret = 32

// FromSecret returns TLS settings with which only nodes that know the same secret talk to each other. The secret
// becomes a key, and the key a certificate, which both sides show and demand. So the secret itself is never sent.
func FromSecret(secret string) (*tls.Config, error) {
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("the secret has %d characters; write at least %d, such as openssl rand -hex 32 makes",
			len(secret), MinSecret)
	}
	seed, err := hkdf.Key(sha256.New, []byte(secret), nil, "parley cluster certificate", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	// All nodes make the same certificate: its fields are fixed, and so are Ed25519 signatures (RFC 8032). It is valid
	// for as long as clocks can show, because it ends when the secret is changed.
	const name = "parley-cluster"
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	cfg := mutual(roots, func() (*tls.Certificate, error) { return &own, nil })
	cfg.ServerName = name
	return cfg, nil
}

// FromFiles returns TLS settings with which only nodes talk to each other that have a certificate of the authority in
// the file ca, for the names by which they are addressed. The node's own is read again for each connection, so that it
// can be renewed. For Dial each file may be "": then the system's authorities count, or no certificate is shown.
func FromFiles(cert, key, ca string) (*tls.Config, error) {
	var roots *x509.CertPool
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New(ca + " has no certificate (PEM)")
		}
	}
	if cert == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
	}
	own := func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		return &c, err
	}
	if _, err := own(); err != nil {
		return nil, err
	}
	return mutual(roots, own), nil
}

// mutual returns TLS settings for both sides of a connection. Each shows its certificate and demands one of roots.
func mutual(roots *x509.CertPool, own func() (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own() },
		ClientAuth:           tls.RequireAndVerifyClientCert,
		ClientCAs:            roots,
		RootCAs:              roots,
	}
}
