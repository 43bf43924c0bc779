COPY pg_temp.{table} ({columns}) FROM STDIN
