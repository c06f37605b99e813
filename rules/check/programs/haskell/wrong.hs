import Control.Monad (replicateM_)

main :: IO ()
main = do
  n <- readLn
  replicateM_ n $ do
    [a, b] <- map read . words <$> getLine :: IO [Integer]
    print (a - b)
