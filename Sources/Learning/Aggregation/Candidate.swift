public import MurmurCompute

/// A model that may enter an average, and what is claimed of it.
public struct Candidate: Sendable {
  /// Its numbers, in the session's architecture.
  public var parameters: ParameterVector
  /// The training rows behind it.
  public var rows: Int
  /// Its loss on somebody's validation rows.
  public var loss: Double

  /// A model that may enter an average.
  public init(parameters: ParameterVector, rows: Int, loss: Double) {
    self.parameters = parameters
    self.rows = rows
    self.loss = loss
  }

  /// The standard deviation of its numbers in `range`.
  func deviation(of range: Range<Int>) -> Double { Double(parameters.moments(of: range).variance).squareRoot() }
}
