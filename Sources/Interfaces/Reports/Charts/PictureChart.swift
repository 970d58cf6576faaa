/// Small grey pictures in rows and columns, such as what a network makes of some images.
public struct PictureChart: Hashable, Sendable {
  /// What stands above the columns; may be empty.
  public var columns: [String]
  /// The rows, from top to bottom.
  public var rows: [Row]

  /// A chart of the given rows.
  public init(columns: [String] = [], rows: [Row]) {
    self.columns = columns
    self.rows = rows
  }

  /// Pictures beside each other, with what they are.
  public struct Row: Hashable, Sendable {
    /// What they are.
    public var name: String
    /// The pictures, from left to right.
    public var pictures: [Picture]

    /// A named row.
    public init(_ name: String, _ pictures: [Picture]) {
      self.name = name
      self.pictures = pictures
    }
  }

  /// One grey picture.
  public struct Picture: Hashable, Sendable {
    /// Pixels of a row.
    public var width: Int
    /// Rows of pixels.
    public var height: Int
    /// A byte per pixel, row after row: 0 is black, 255 white.
    public var pixels: [UInt8]
    /// Parts with a frame around them, as shares of the width and the height.
    public var frames: [Frame]

    /// A picture of the given pixels.
    public init(width: Int, height: Int, pixels: [UInt8], frames: [Frame] = []) {
      precondition(width > 0 && height > 0 && pixels.count == width * height, "\(pixels.count) pixels for \(width) × \(height)")
      self.width = width
      self.height = height
      self.pixels = pixels
      self.frames = frames
    }
  }

  /// A part of a picture, in shares of its width and height.
  public struct Frame: Hashable, Sendable {
    /// From the left.
    public var x: Double
    /// From the top.
    public var y: Double
    /// The share of the width.
    public var width: Double
    /// The share of the height.
    public var height: Double

    /// A part of a picture.
    public init(x: Double, y: Double, width: Double, height: Double) {
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }
}
