extension PictureChart {
  func drawn(_ identifier: String, _ title: String, _ description: String, _ width: Double) -> Markup {
    let count = max(1, rows.map(\.pictures.count).max() ?? 1)
    let names = rows.map { Lettering.width($0.name) }.max() ?? 0
    let beside = names <= width * 0.3
    let left = beside ? names + 12 : 2
    let gap = 3.0
    let side = min(72, (width - left - gap * Double(count)) / Double(count))
    var (content, top) = (Markup(), 4.0)
    if columns.contains(where: { !$0.isEmpty }) {
      for (place, name) in columns.prefix(count).enumerated() {
        content += """
          <text x="\(at: left + (side + gap) * Double(place) + side / 2)" y="12" text-anchor="middle" \
          class="muted">\(Lettering.fit(name, into: side))</text>
          """
      }
      top = 18
    }
    for row in rows {
      if !beside {
        content += "<text x=\"2\" y=\"\(at: top + 11)\">\(Lettering.fit(row.name, into: width - 4))</text>"
        top += 16
      }
      let height = side * (row.pictures.map { Double($0.height) / Double($0.width) }.max() ?? 1)
      if beside {
        content += "<text x=\"\(at: left - 8)\" y=\"\(at: top + height / 2 + 4)\" text-anchor=\"end\">\(row.name)</text>"
      }
      for (place, picture) in row.pictures.enumerated() {
        content += PictureChart.drawn(picture, x: left + (side + gap) * Double(place), y: top, side: side)
      }
      top += height + gap + 3
    }
    return Drawing.svg(identifier, title, description, width, top, content)
  }

  private static func drawn(_ picture: Picture, x: Double, y: Double, side: Double) -> Markup {
    let height = side * Double(picture.height) / Double(picture.width)
    var content: Markup = """
      <image x="\(at: x)" y="\(at: y)" width="\(at: side)" height="\(at: height)" preserveAspectRatio="none" \
      style="image-rendering:pixelated" href="data:image/png;base64,\(Base64.text(PNG.grey(picture)))"/>
      """
    for frame in picture.frames {
      content += """
        <rect x="\(at: x + frame.x * side + 0.5)" y="\(at: y + frame.y * height + 0.5)" width="\(at: frame.width * side - 1)" \
        height="\(at: frame.height * height - 1)" style="fill:none;stroke:#e0662a;stroke-width:.75"/>
        """
    }
    return content
  }
}

/// Portable network graphics (PNG) of one byte per pixel, not compressed.
package enum PNG {
  /// A grey picture as the bytes of a file.
  package static func grey(_ picture: PictureChart.Picture) -> [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    chunk("IHDR", big(picture.width) + big(picture.height) + [8, 0, 0, 0, 0], into: &file)
    var rows: [UInt8] = []
    for row in 0..<picture.height { rows += [0] + picture.pixels[row * picture.width..<(row + 1) * picture.width] }
    var stream: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
      let end = min(start + 65_535, rows.count)
      let (low, high) = (UInt8((end - start) & 0xff), UInt8((end - start) >> 8))
      stream += [end == rows.count ? 1 : 0, low, high, ~low, ~high] + rows[start..<end]
      start = end
    } while start < rows.count
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in rows {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    chunk("IDAT", stream + big(Int(b << 16 | a)), into: &file)
    chunk("IEND", [], into: &file)
    return file
  }

  private static func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

  private static func chunk(_ name: String, _ data: [UInt8], into file: inout [UInt8]) {
    let body = Array(name.utf8) + data
    var check: UInt32 = .max
    for byte in body {
      check ^= UInt32(byte)
      for _ in 0..<8 { check = check & 1 == 1 ? check >> 1 ^ 0xedb8_8320 : check >> 1 }
    }
    file += big(data.count) + body + big(Int(~check))
  }
}

/// Bytes as letters (RFC 4648).
package enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var bits = 0
      for place in 0..<3 { bits = bits << 8 | (place < count ? Int(bytes[start + place]) : 0) }
      for place in 0..<4 { text.append(place <= count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "=")) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
