// What a page is called in the window's title.
import { t } from '../lib/i18n';
import type { Route } from '../lib/router';

export function placeTitle(route: Route): string | null {
  switch (route.page) {
    case 'search':
      return t('search.title');
    case 'account':
      return t('account.title');
    case 'admin':
      return t(`admin.${route.section}`);
    case 'login':
      return t('account.log_in');
    case 'setup':
      return t('account.setup_title');
    case 'invite':
      return t('account.invite_title');
    case 'reset':
      return t('account.reset_title');
    case 'missing':
      return t('common.page_missing');
    default:
      return null;
  }
}
