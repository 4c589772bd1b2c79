// The one client of the page: its connection, rooms and outbox.
import { createClient } from '../client';

export const client = createClient();
