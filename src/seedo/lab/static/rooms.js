// Rooms as pictures: what was drawn on the lab's side, enlarged without blur, and marks on top.
const SQUARES = 11;
const SCALE = 4;

/** Decode pictures (data URLs) once, so that painting is instant. */
export async function load(pictures) {
  return Promise.all(
    pictures.map(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      return image;
    }),
  );
}

/** Paint a picture into a <canvas>; `rings`: squares [row, column] to mark. */
export function paint(canvas, image, rings = []) {
  const size = image.width * SCALE;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(image, 0, 0, size, size);
  const square = size / SQUARES;
  for (const [row, column] of rings) {
    const ring = [(column + 0.5) * square, (row + 0.5) * square, 0.78 * square, 0, 2 * Math.PI];
    for (const [colour, width, dashes] of [["#000", 5, []], ["#fff", 2.5, [7, 5]]]) {
      pen.beginPath();
      pen.setLineDash(dashes);
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.arc(...ring);
      pen.stroke();
    }
  }
}
