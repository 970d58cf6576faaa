internal import MurmurMachines

/// Message names and a number for each: a hash table that only grows, until it is thrown away whole.
///
/// Every arrival is looked up here, five of six in vain, so this is the pub/sub peer's inner loop; a `Dictionary` spends most
/// of a look-up on starting and ending its keyed hash. Peers choose their names,
/// hence the two secret words: without them nobody can make names that collide.
struct NameTable: Sendable {
  /// Two words drawn once per machine.
  struct Secret: Sendable {
    let a: UInt64
    let b: UInt64

    init(_ chance: inout Chance) {
      a = chance.next()
      b = chance.next()
    }
  }

  private var names: [MessageID] = []
  private var numbers: [UInt32] = []
  /// For each bucket, one more than the position of its name; zero if empty. At most half are full.
  private var buckets: [UInt32] = []

  var count: Int { names.count }
  var isEmpty: Bool { names.isEmpty }

  /// The number of `name`; `nil` if it is not there.
  func number(of name: MessageID, _ secret: Secret) -> UInt32? {
    guard !buckets.isEmpty else { return nil }
    let mask = buckets.count - 1
    var bucket = name.mixed(secret.a, secret.b) & mask
    while buckets[bucket] != 0 {
      let position = Int(buckets[bucket]) - 1
      if names[position] == name { return numbers[position] }
      bucket = (bucket + 1) & mask
    }
    return nil
  }

  /// Adds `name`, which must not be there yet.
  mutating func insert(_ name: MessageID, _ number: UInt32, _ secret: Secret) {
    names.append(name)
    numbers.append(number)
    if names.count * 2 > buckets.count { grow(secret) } else { place(names.count - 1, secret) }
  }

  private mutating func grow(_ secret: Secret) {
    buckets = [UInt32](repeating: 0, count: max(16, buckets.count * 2))
    for position in names.indices { place(position, secret) }
  }

  private mutating func place(_ position: Int, _ secret: Secret) {
    let mask = buckets.count - 1
    var bucket = names[position].mixed(secret.a, secret.b) & mask
    while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
    buckets[bucket] = UInt32(truncatingIfNeeded: position + 1)
  }
}
