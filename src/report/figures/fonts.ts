import { hasFonts } from './render.js';

/** Says on stderr that PNG figures have no letters on a system without fonts; SVG figures are not affected. */
export async function warnWithoutFonts(): Promise<void> {
  if (await hasFonts()) return;
  process.stderr.write(
    'warning: no font is installed, so the PNG figures have no text; the SVG ones are whole.\n' +
      '  Install any TrueType fonts, such as the package fonts-dejavu-core, and run this again.\n',
  );
}
