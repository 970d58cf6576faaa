/// How the training rows are dealt to the peers.
public enum Partition: Hashable, Sendable {
  /// The same number of rows for everybody, every class represented as in the whole.
  case equal
  /// Whole groups, e.g. all digits one person wrote: a natural split in which peers see different worlds.
  case byGroup
  /// Label skew: the shares of the classes at each peer are drawn from a Dirichlet distribution (Hsu, Qi and Brown 2019). A
  /// concentration of 0.1 leaves most peers one or two classes, 100 is close to ``equal``.
  case dirichlet(concentration: Double)
  /// Sizes in geometric progression; `ratio` is the largest peer's number of rows over the smallest's.
  case unequal(ratio: Double)
}
