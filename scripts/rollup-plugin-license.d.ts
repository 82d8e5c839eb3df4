/** What we use of it. Its own types call it an ES module with a default export, which it is not. */
declare module 'rollup-plugin-license' {
  import type { Plugin } from 'rolldown';

  namespace license {
    interface Dependency {
      readonly name: string | null;
      readonly version: string | null;
      readonly license: string | null;
      readonly licenseText: string | null;
      readonly noticeText: string | null;
    }
  }
  function license(options: { thirdParty(found: readonly license.Dependency[]): void }): Plugin;
  export = license;
}
