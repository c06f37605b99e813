import qualified Data.ByteString.Char8 as B
import Data.Maybe (fromJust)

main :: IO ()
main = do
  n <- readLn :: IO Int
  rows <- B.lines <$> B.getContents
  mapM_ (print . sum . map (fst . fromJust . B.readInt) . B.words) (take n rows)
