import MurmurIdentity
import MurmurWire

/// A Merkle tree over the public keys of 2ʰ leaves, hashed as RFC 6962 (2.1) does: leaves and nodes begin with different bytes, so that
/// neither can be taken for the other.
struct KeyTree: Sendable {
  /// Hashes by level: the leaves first, the root last.
  private let levels: [[Digest]]

  /// The tree of a stream's leaves; 2ʰ keys are made for it.
  init(_ seed: StreamSeed, _ tree: UInt32, height: Int) {
    var levels = [(0..<1 << height).map { KeyTree.leaf(seed.leaf(tree, $0).publicKey.data) }]
    while let last = levels.last, last.count > 1 {
      levels.append(stride(from: 0, to: last.count, by: 2).map { KeyTree.node(last[$0], last[$0 + 1]) })
    }
    self.levels = levels
  }

  var root: Digest { levels[levels.count - 1][0] }

  /// What is needed beside a leaf's key to work out the root, from the bottom up.
  func siblings(of index: Int) -> [Digest] { levels.dropLast().enumerated().map { $1[(index >> $0) ^ 1] } }

  /// The root that follows from a leaf's key, its place and its siblings.
  static func root(of key: [UInt8], at index: Int, _ siblings: [Digest]) -> Digest {
    var hash = leaf(key)
    for (level, sibling) in siblings.enumerated() {
      hash = index >> level & 1 == 0 ? node(hash, sibling) : node(sibling, hash)
    }
    return hash
  }

  private static func leaf(_ key: [UInt8]) -> Digest { .sha256(of: [0] + key) }

  private static func node(_ left: Digest, _ right: Digest) -> Digest { .sha256(of: [1] + left.bytes + right.bytes) }
}
