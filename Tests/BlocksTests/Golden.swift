import MurmurBlocks
import MurmurWire

/// Files and the names that Kubo 0.22.0 gave them.
struct Golden: Sendable {
  let count: Int
  /// `ipfs add`.
  let version0: String
  /// `ipfs add --cid-version=1`, where another source tells it.
  var version1: String?

  /// The file: the low byte of i²/256 ⊕ i/65536 ⊕ i/8 ⊕ i.
  var bytes: [UInt8] {
    (0..<count).map { place in
      let i = UInt64(place)
      return UInt8(truncatingIfNeeded: (i &* i) >> 8 ^ i >> 3 ^ i ^ i >> 16)
    }
  }

  static let files = [
    Golden(
      count: 0, version0: "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
      version1: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    Golden(count: 1, version0: "QmS9JArPwa55ePgDnyg6TzX24mYTS1b1vLqWNebyVotKxQ"),
    Golden(count: 1_000, version0: "QmYcsNebvwXK12Dht2xFhsaJP7MfVcV9kKY1evGMGWBv6m"),
    Golden(count: 262_144, version0: "QmVRZPSvgDdHiKJD8rTCwUZkVYFjx5QQgvAPRULEJs1YAL"),
    Golden(count: 262_145, version0: "QmcLsYMsuEmnMcpLfDBLtS8FnApAPajjpAHaiQHxfNBKMR"),
    Golden(count: 1_000_000, version0: "QmTWgDUJxyJ4FkW4SJamRtpUKhVH7otmY9uFSQHSqoS1dx"),
    Golden(count: 45_613_056, version0: "QmYH2hAQZGaXq5eZcxSv73L9XRQukAJr2Dyp3WYHduQJb2"),
    Golden(count: 45_613_057, version0: "QmRRUJKyVxHEBKy32t7RfQoRDcCy1acJJ6vWu3ZojnP25f"),
  ]
}
