import MurmurCompute

extension NumberArray {
  func labelled(name: String, label: CSV.Column) throws(DataError) -> Dataset {
    guard shape.count >= 2, shape[0] > 0, shape.dropFirst().allSatisfy({ $0 > 0 }) else {
      throw DataError(
        name, "an array of shape \(shape) has no rows of features",
        advice: "store one row of features per index of the first axis")
    }
    let rows = shape[0]
    let width = values.count / rows
    guard let column = try labelColumn(label, width: width, name: name) else {
      return Dataset(name: name, samples: Samples(features: values, width: width), imageShape: image(width))
    }
    guard width > 1 else { throw DataError(name, "there is no column left for features", advice: "the only column is the label") }
    var features: [Float] = []
    features.reserveCapacity(rows * (width - 1))
    var names = Names()
    for row in 0..<rows {
      let start = row * width
      features += values[start..<start + column]
      features += values[start + column + 1..<start + width]
      let value = values[start + column]
      guard value == value.rounded(), abs(value) < 1e9 else {
        throw DataError(
          name, "row \(row) has the label \(value), which is not a whole number",
          advice: "name the label column by its index, or say that there is none")
      }
      names.append(String(Int(value)))
      guard names.texts.count <= 1000 else {
        throw DataError(
          name, "column \(column) has more than 1,000 different values", advice: "name the label column by its index")
      }
    }
    let (labels, classes) = names.sorted()
    let missing = features.reduce(0) { $0 + ($1.isNaN ? 1 : 0) }
    return Dataset(
      name: name, samples: Samples(features: features, width: width - 1, labels: labels, classes: classes.count),
      classNames: classes,
      missing: missing)
  }

  private func labelColumn(_ label: CSV.Column, width: Int, name: String) throws(DataError) -> Int? {
    switch label {
    case .none: return nil
    case .guessed: return shape.count == 2 ? width - 1 : nil
    case .named(let text):
      guard let index = Int(text), index < width, index >= -width else {
        throw DataError(
          name, "there is no column '\(text)' for the label",
          advice: "an array's columns have no names: give an index, 0 to \(width - 1)")
      }
      return index < 0 ? width + index : index
    }
  }

  private func image(_ width: Int) -> Dataset.ImageShape? {
    switch shape.count {
    case 3: Dataset.ImageShape(height: shape[1], width: shape[2])
    case 4: Dataset.ImageShape(height: shape[1], width: shape[2], channels: shape[3])
    default: nil
    }
  }
}
